"""Limits of AWS that a task alone can break: waits, time, sizes.

What depends on the whole machine (definition, history, payload) is the planner's to prove.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stepweave.errors import Problem
from stepweave.graph.model import Graph, Resources, RetryPolicy, Task
from stepweave.graph.problems import problem_at

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
MOST_RETRIES = 99_999_999
LONGEST_RETRY_DELAY_SECONDS = 31_622_400
LONGEST_TIMEOUT_SECONDS = 99_999_999
LONGEST_ERROR_NAME = 256
RESERVED_ERRORS = frozenset({"States.Timeout", "States.HeartbeatTimeout"})
"""Names that Step Functions gives to errors and that a policy may name; others are its own matter."""

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LONGEST_EXECUTION_SECONDS = 31_536_000

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_LONGEST_SECONDS = 900
LAMBDA_MEMORY_MIB = (128, 10_240)
LAMBDA_EPHEMERAL_MIB = (512, 10_240)
LAMBDA_MOST_CPUS = 6

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
FARGATE_MOST_CPUS = 16
FARGATE_MOST_MEMORY_MIB = 122_880
FARGATE_MOST_EPHEMERAL_MIB = 190 * 1_024
"""Of a disk of 200 GiB, what is not kept for the image."""

# https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html
BATCH_SHORTEST_SECONDS = 60
BATCH_LEAST_MEMORY_MIB = 4

# https://aws.amazon.com/ec2/instance-types/: beyond the largest machine there is a mistake in the unit.
MOST_CPUS = 1_920
MOST_MEMORY_MIB = 32 * 2**20
MOST_GPUS = 16

_ERROR_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


def limit_problems(task: Task) -> Iterator[Problem]:
    """Where a task's options are beyond what AWS accepts."""
    for retry in (task.retry, *task.other_retries):
        if retry is not _CHECKED.retry:
            yield from _retry_problems(task, retry)
    if task.approval is not None:
        asked = task.approval.timeout_seconds + sum(time for _, time in task.approval.escalations)
        yield from _outside(task, "time of the approval", asked, 1, LONGEST_EXECUTION_SECONDS, "s")
    if task.sensor is not None:
        most = LONGEST_EXECUTION_SECONDS
        yield from _outside(task, "timeout of the sensor", task.sensor.timeout_seconds, 1, most, "s")
    if task.timeout_seconds is not None:
        yield from _outside(task, "timeout", task.timeout_seconds, 1, LONGEST_TIMEOUT_SECONDS, "s")
    if task.compute == "lambda":
        yield from _lambda_problems(task)
    if task.compute in ("batch", "fargate") or task.resources.gpu:
        yield from _batch_problems(task)
    if task.compute == "fargate":
        yield from _fargate_problems(task, task.resources)
    for rung in task.ladder:
        if rung.compute == "fargate":
            yield from _fargate_problems(task, rung.resources)
    yield from _machine_problems(task)


_CHECKED = Task(id="defaults", call="")
"""A task with defaults only, which are right."""


def _outside(
    task: Task, option: str, value: float, least: float, most: float, unit: str
) -> Iterator[Problem]:
    if not least <= value <= most:
        yield problem_at(
            task.source,
            "limit",
            f"{option} is outside of what AWS accepts",
            task=task.id,
            expected=f"{least:,} to {most:,} {unit}".rstrip(),
            got=f"{value:,} {unit}".rstrip(),
            fix=f"set {option} within these limits",
        )


def _retry_problems(task: Task, retry: RetryPolicy) -> Iterator[Problem]:
    yield from _outside(task, "retries", retry.attempts, 0, MOST_RETRIES, "")
    yield from _outside(task, "retry delay", retry.delay_seconds, 1, LONGEST_RETRY_DELAY_SECONDS, "s")
    yield from _outside(task, "retry backoff", retry.backoff, 1, 1000, "")
    if retry.max_delay_seconds is not None:
        # Step Functions wants the ceiling above the first wait.
        least, most = retry.delay_seconds + 1, LONGEST_RETRY_DELAY_SECONDS
        yield from _outside(task, "retry max_delay", retry.max_delay_seconds, least, most, "s")
    for name in retry.on:
        reserved = name.startswith("States.") and name not in RESERVED_ERRORS
        if reserved or len(name) > LONGEST_ERROR_NAME or not _ERROR_NAME.fullmatch(name):
            yield problem_at(
                task.source,
                "retry-error",
                f"{name!r} cannot be retried by name",
                task=task.id,
                expected="the name of an exception class",
                fix="name exception classes, e.g. on=['TransientError', 'ConnectionError']",
            )


def _lambda_problems(task: Task) -> Iterator[Problem]:
    needs = task.resources
    if task.timeout_seconds is not None:
        yield from _outside(task, "timeout on Lambda", task.timeout_seconds, 1, LAMBDA_LONGEST_SECONDS, "s")
    if needs.memory_mib is not None:
        yield from _outside(task, "memory on Lambda", needs.memory_mib, *LAMBDA_MEMORY_MIB, "MiB")
    if needs.ephemeral_mib is not None:
        yield from _outside(
            task, "ephemeral storage on Lambda", needs.ephemeral_mib, *LAMBDA_EPHEMERAL_MIB, "MiB"
        )
    if needs.cpu is not None:
        yield from _outside(task, "cpu on Lambda", needs.cpu, 0, LAMBDA_MOST_CPUS, "")
    if needs.gpu or needs.spot:
        yield problem_at(
            task.source,
            "compute",
            f"compute is Lambda, which has no {'GPU' if needs.gpu else 'spot capacity'}",
            task=task.id,
            fix=f"leave out compute=, or {'gpu=' if needs.gpu else 'spot='}",
        )


def _batch_problems(task: Task) -> Iterator[Problem]:
    if task.timeout_seconds is not None and task.timeout_seconds < BATCH_SHORTEST_SECONDS:
        yield from _outside(
            task,
            "timeout on Batch",
            task.timeout_seconds,
            BATCH_SHORTEST_SECONDS,
            LONGEST_TIMEOUT_SECONDS,
            "s",
        )


def _fargate_problems(task: Task, needs: Resources) -> Iterator[Problem]:
    """What Fargate does not have, for a task or a rung of its ladder. Less is rounded up to a size that it has."""
    if needs.cpu is not None:
        yield from _outside(task, "cpu on Fargate", needs.cpu, 0, FARGATE_MOST_CPUS, "")
    if needs.memory_mib is not None:
        most = FARGATE_MOST_MEMORY_MIB
        yield from _outside(task, "memory on Fargate", needs.memory_mib, BATCH_LEAST_MEMORY_MIB, most, "MiB")
    if needs.ephemeral_mib is not None:
        most = FARGATE_MOST_EPHEMERAL_MIB
        yield from _outside(task, "ephemeral storage on Fargate", needs.ephemeral_mib, 0, most, "MiB")
    if needs.gpu or needs.spot:
        yield problem_at(
            task.source,
            "compute",
            f"compute is Fargate, which has no {'GPU' if needs.gpu else 'spot capacity here'}",
            task=task.id,
            fix=f"write compute=Batch, or leave out {'gpu=' if needs.gpu else 'spot='}",
        )


def _machine_problems(task: Task) -> Iterator[Problem]:
    needs = task.resources
    if needs.cpu is not None:
        yield from _outside(task, "cpu", needs.cpu, 0, MOST_CPUS, "")
    if needs.memory_mib is not None:
        yield from _outside(task, "memory", needs.memory_mib, BATCH_LEAST_MEMORY_MIB, MOST_MEMORY_MIB, "MiB")
    if needs.gpu:
        yield from _outside(task, "gpu", needs.gpu, 0, MOST_GPUS, "")


def dag_limit_problems(graph: Graph) -> Iterator[Problem]:
    """Where a DAG's own options are beyond what AWS accepts."""
    timeout = graph.dag.timeout_seconds
    if timeout is not None and not 1 <= timeout <= LONGEST_EXECUTION_SECONDS:
        yield problem_at(
            graph.dag.source,
            "limit",
            "timeout of the DAG is outside of what AWS accepts",
            expected=f"1 to {LONGEST_EXECUTION_SECONDS:,} s",
            got=f"{timeout:,} s",
            fix="set timeout within these limits",
        )

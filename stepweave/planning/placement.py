"""Where each task runs: the smallest compute that holds what it declares.

GPU, more than 15 minutes, more than 10 GiB of memory or of scratch space, more than 6 vCPUs, or ``spot``  →  Batch
anything else                                                                                        →  Lambda

Fargate only where it is asked for: a job of Batch that no instance must be found for, at a higher price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from stepweave.errors import Problem
from stepweave.graph.model import Compute, Resources, Task
from stepweave.graph.problems import problem_at
from stepweave.planning.fargate import FargateSize, fargate_size
from stepweave.planning.profiles import (
    LAMBDA_MAX_CPU,
    LAMBDA_MAX_EPHEMERAL_MIB,
    LAMBDA_MAX_MEMORY_MIB,
    LAMBDA_MAX_SECONDS,
    ImageProfile,
    LambdaProfile,
    lambda_profile,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a task runs, and why."""

    compute: Compute
    reason: str
    memory_mib: int
    function: str = ""
    """Substitution of the Lambda function, when on Lambda."""
    job_definition: str = ""
    job_queue: str = ""
    """Substitutions of the job definition and its queue, when it is a job."""
    profile: LambdaProfile | None = None
    """What the function is made of, when on Lambda."""
    image: ImageProfile | None = None
    """What the image of the job is made of."""
    fargate: FargateSize | None = None
    """What the job has, when on Fargate."""

    @property
    def is_job(self) -> bool:
        """Whether it is a job of Batch, on an instance or on Fargate."""
        return self.compute != "lambda"


DEFAULT_BATCH_TIMEOUT_SECONDS = 24 * 3600
"""Longest attempt of a Batch job that sets no timeout."""


def default_timeout_seconds(placement: Placement) -> int:
    """Longest attempt of a task that sets no timeout."""
    return LAMBDA_MAX_SECONDS if placement.compute == "lambda" else DEFAULT_BATCH_TIMEOUT_SECONDS


def place(task: Task) -> Placement:
    """The placement of ``task``: as forced, else the smallest compute that fits."""
    if task.compute == "fargate":
        return _on_fargate(task)
    needs_batch = _needs_batch(task)
    if task.compute == "batch" or (task.compute is None and needs_batch):
        return _on_batch(task, needs_batch or "compute=Batch() asks for it")
    return _on_lambda(task, "compute=Lambda() asks for it" if task.compute == "lambda" else "fits Lambda")


def place_undo(task: Task) -> Placement:
    """The placement of what undoes ``task``: a function as large as the task's; of a job, the default's size."""
    if place(task).compute == "lambda":
        needed = tuple(sorted({*task.requirements, *task.undo_requirements}))
        return _on_lambda(replace(task, requirements=needed), f"undoes {task.id}")
    small = replace(task, resources=Resources(), timeout_seconds=None, requirements=task.undo_requirements)
    return _on_lambda(small, f"undoes {task.id}")


def placements(tasks: Iterable[Task]) -> dict[str, Placement]:
    """The placement of each of ``tasks`` by id, and of each rung of its ladder by :func:`rung_name`."""
    found: dict[str, Placement] = {}
    for task in tasks:
        found[task.id] = place(task)
        for number in range(1, len(task.ladder) + 1):
            found[rung_name(task.id, number)] = place_rung(task, number)
    return found


def placement_problems(tasks: Iterable[Task], placed: Mapping[str, Placement]) -> Iterator[Problem]:
    """What cannot run where it was placed."""
    for task in tasks:
        if task.sensor is not None and placed[task.id].is_job:
            yield problem_at(
                task.source,
                "sensor-on-batch",
                "a sensor pokes on Lambda; each poke as a Batch job would wait for a machine",
                task=task.id,
                expected="a task that fits Lambda",
                got=f"{placed[task.id].compute.title()}: {placed[task.id].reason}",
                fix="let the sensor only look, and do the work in a task after it",
            )


def rung_name(task: str, number: int) -> str:
    """The name of rung ``number`` of the ladder of ``task``, distinct from every id of a task.

    >>> rung_name("train", 1)
    'train: level 1'
    """
    return f"{task}: level {number}"


def on_rung(task: Task, number: int) -> Task:
    """``task`` as rung ``number`` of its ladder runs it; 0 is the task itself."""
    if number == 0:
        return task
    rung = task.ladder[number - 1]
    return replace(
        task,
        call=rung.call,
        resources=rung.resources,
        compute=rung.compute,
        timeout_seconds=rung.timeout_seconds,
        requirements=rung.requirements,
        doc=rung.label and f"{task.id}: {rung.label}",
    )


def place_rung(task: Task, number: int) -> Placement:
    """The placement of rung ``number`` of the ladder of ``task``; a job has a definition for each rung."""
    placed = place(on_rung(task, number))
    if not placed.job_definition or number == 0:
        return placed
    return replace(placed, job_definition=f"{placed.job_definition[:-1]}_level_{number}}}")


def _needs_batch(task: Task) -> str:
    """The first reason why Lambda cannot run ``task``; empty when it can."""
    need = task.resources
    if need.gpu:
        return f"needs {need.gpu} GPU"
    if (task.timeout_seconds or 0) > LAMBDA_MAX_SECONDS:
        return f"may take {task.timeout_seconds} s, Lambda ends after {LAMBDA_MAX_SECONDS} s"
    if (need.memory_mib or 0) > LAMBDA_MAX_MEMORY_MIB:
        return f"needs {need.memory_mib} MiB, Lambda has at most {LAMBDA_MAX_MEMORY_MIB} MiB"
    if (need.ephemeral_mib or 0) > LAMBDA_MAX_EPHEMERAL_MIB:
        return f"needs {need.ephemeral_mib} MiB of scratch space, Lambda has at most {LAMBDA_MAX_EPHEMERAL_MIB} MiB"
    if (need.cpu or 0) > LAMBDA_MAX_CPU:
        return f"needs {need.cpu:g} vCPUs, Lambda has at most {LAMBDA_MAX_CPU}"
    return "asks for Spot capacity" if need.spot else ""


def _on_lambda(task: Task, reason: str) -> Placement:
    profile = lambda_profile(task)
    return Placement(
        compute="lambda",
        reason=reason,
        memory_mib=profile.memory_mib,
        function=f"${{{profile.name}}}",
        profile=profile,
    )


def _on_batch(task: Task, reason: str) -> Placement:
    queue = ("gpu" if task.resources.gpu else "cpu") + ("_spot" if task.resources.spot else "")
    return Placement(
        compute="batch",
        reason=reason,
        memory_mib=task.resources.memory_mib or 2_048,
        job_definition=_job_definition(task),
        job_queue=f"${{JobQueue_{queue}}}",
        image=ImageProfile(gpu=bool(task.resources.gpu), requirements=task.requirements),
    )


def _on_fargate(task: Task) -> Placement:
    size = fargate_size(task.resources)
    return Placement(
        compute="fargate",
        reason="compute=Fargate() asks for it",
        memory_mib=size.memory_mib,
        job_definition=_job_definition(task),
        job_queue="${JobQueue_fargate}",
        image=ImageProfile(requirements=task.requirements),
        fargate=size,
    )


def _job_definition(task: Task) -> str:
    return f"${{JobDefinition_{re.sub(r'[^A-Za-z0-9_]', '_', task.id)}}}"

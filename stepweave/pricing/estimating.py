"""`usage_of(work) -> RunUsage`: what a run uses of AWS, by task and for what goes on around the tasks.

The work of a run is counted by a simulation (:mod:`stepweave.simulation`) before it starts, or told by its records.
What nobody counts is taken as the constants here say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from stepweave.graph.model import Resources, Task
from stepweave.planning.fargate import FREE_DISK_GIB, FargateSize
from stepweave.planning.placement import Placement
from stepweave.pricing.prices import HOURS_PER_MONTH
from stepweave.pricing.usage import Usage, total

Architecture: TypeAlias = Literal["arm64", "x86_64"]

CALL_SECONDS = 0.03
"""Billed time of a call besides the task's function: its arguments are read and its result is committed."""
CONTROL_SECONDS = 0.05
"""Billed time of a call for which no task runs: a gate, a signal, preparing a job, the items of a map."""
CONTROL_MIB = 1_024
COLD_SECONDS = 0.5
"""Billed start of a function that nobody has called for a while; once a run for each function that it calls."""
PLATFORM_SECONDS = 0.3
"""Billed time of the calls that start and record a run, each at 512 MiB."""
PLATFORM_CALLS = 3
"""The starter, and the recorder when the run begins and when it ends."""
PLATFORM_MIB = 512
LOG_BYTES_PER_TRANSITION = 2_000
"""Of the execution's log, without data."""
LOG_BYTES_PER_CALL = 1_000
"""Of what Lambda and the runtime write for each call; what tasks themselves log is not counted."""
RUN_METRICS = 2
"""Custom metrics that a run emits: how it ended, and how late it began. Each is paid for by the hour in which it is
emitted: runs in one hour share it."""

JOB_START_SECONDS = 30.0
"""Billed time of a job before its function begins, once there is an instance: the image, the interpreter, imports."""
JOB_MIN_SECONDS = 60.0
"""Shortest time that an instance, or a job on Fargate, is billed for: https://aws.amazon.com/ec2/pricing/on-demand/,
https://aws.amazon.com/fargate/pricing/"""
JOB_CPU = 1.0
"""vCPUs of a job whose task asks for none."""
GIB_PER_CPU = 4.0
"""Memory of the instances by which jobs are priced (m7g, m7i)."""
CPU_PER_GPU, GIB_PER_GPU = 4.0, 16.0
"""What comes with a GPU (g5.xlarge)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What happens in a run."""

    transitions: int
    """Of all its executions, retries included."""
    calls: tuple[tuple[str, float], ...] = ()
    """Task and seconds of each attempt."""
    control_calls: int = 0
    """Calls for which no task runs."""
    gate_calls: int = 0
    """Those of them that write into the table: gates, signals, approvals."""
    executions: int = 1
    """Top execution and those that count as runs of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUsage:
    """What a run uses."""

    tasks: Mapping[str, Usage] = field(default_factory=dict)
    """By task: functions and jobs, and the objects that they read and write."""
    around: Usage = field(default_factory=Usage)
    """Transitions, gates, starting, recording, logs."""

    @property
    def all(self) -> Usage:
        """Both together."""
        return total((*self.tasks.values(), self.around))


def usage_of(
    work: Work,
    tasks: Mapping[str, Task],
    placements: Mapping[str, Placement],
    architecture: Architecture = "arm64",
) -> RunUsage:
    """What a run of ``work`` uses; ``tasks`` and ``placements`` of the DAG and of all DAGs that it starts."""
    used: dict[str, Usage] = {}
    functions: set[str] = set()
    for name, seconds in work.calls:
        placement = placements[name]
        if placement.compute == "lambda":
            functions.add(placement.function)
            call = on_lambda(seconds, placement.memory_mib, architecture)
        elif placement.fargate is not None:
            call = on_fargate(seconds, placement.fargate, architecture)
        else:
            call = on_batch(seconds, tasks[name].resources, placement.memory_mib, architecture)
        used[name] = used.get(name, Usage()) + call
    return RunUsage(tasks=used, around=_around(work, len(functions), architecture))


def month_of(run: Usage, runs: float) -> Usage:
    """What ``runs`` runs a month use. A custom metric is paid for by the hour, however many runs emit it in it."""
    month = run.times(runs)
    shared = {"metric": min(month.amounts.get("metric", 0.0), float(RUN_METRICS))}
    return Usage({**month.amounts, **shared})


def on_lambda(seconds: float, memory_mib: int, architecture: Architecture) -> Usage:
    """One attempt of a task on Lambda: it looks for a result that is there, and commits one."""
    return _called(seconds + CALL_SECONDS, memory_mib, architecture) + Usage.of(s3_get=1, s3_put=1)


def on_batch(seconds: float, need: Resources, memory_mib: int, architecture: Architecture) -> Usage:
    """One attempt of a task on Batch: its part of an instance, and its inputs and result.

    Instances with a GPU are x86_64, whatever the architecture of the others.
    """
    gib = memory_mib / 1_024
    cpu = need.cpu or JOB_CPU
    hours = _job_hours(seconds)
    kind = ("gpu" if need.gpu else f"cpu_{architecture}") + ("_spot" if need.spot else "")
    share = max(need.gpu, cpu / CPU_PER_GPU, gib / GIB_PER_GPU) if need.gpu else max(cpu, gib / GIB_PER_CPU)
    return Usage.of(**{kind: share * hours}) + Usage.of(s3_get=3, s3_put=2)


def on_fargate(seconds: float, size: FargateSize, architecture: Architecture) -> Usage:
    """One attempt of a task on Fargate: the size that it was given, and its inputs and result."""
    hours = _job_hours(seconds)
    amounts = {
        f"fargate_{architecture}": size.cpu * hours,
        f"fargate_{architecture}_gib": size.memory_mib / 1_024 * hours,
        "fargate_disk": (size.disk_gib - FREE_DISK_GIB) * hours,
    }
    return Usage.of(**amounts, s3_get=3, s3_put=2)


def _job_hours(seconds: float) -> float:
    """Billed hours of a job whose function takes that long."""
    return max(JOB_MIN_SECONDS, seconds + JOB_START_SECONDS) / 3_600


def _called(seconds: float, memory_mib: int, architecture: Architecture) -> Usage:
    return Usage(
        {
            "lambda_request": 1,
            f"lambda_{architecture}": seconds * memory_mib / 1_024,
            "log_gib": LOG_BYTES_PER_CALL / 2**30,
        }
    )


def _around(work: Work, functions: int, architecture: Architecture) -> Usage:
    control = _called(CONTROL_SECONDS, CONTROL_MIB, architecture).times(work.control_calls)
    platform = _called(PLATFORM_SECONDS, PLATFORM_MIB, architecture).times(PLATFORM_CALLS * work.executions)
    cold = Usage({f"lambda_{architecture}": COLD_SECONDS * CONTROL_MIB / 1_024}).times(functions)
    rest = Usage.of(
        transition=work.transitions,
        table_write=work.gate_calls + 4 * work.executions,
        table_read=2 * work.executions,
        s3_put=work.executions,
        log_gib=work.transitions * LOG_BYTES_PER_TRANSITION / 2**30,
        metric=RUN_METRICS / HOURS_PER_MONTH,
    )
    return total((control, platform, cold, rest))

"""`JobSpec`: what a job definition is made of. Tasks that need the same share one, so that a stack stays small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from stepweave.deployed.names import JOBS
from stepweave.errors import DagError, Problem
from stepweave.graph.model import Task
from stepweave.graph.problems import problem_at
from stepweave.planning.fargate import FREE_DISK_GIB
from stepweave.planning.placement import Placement, default_timeout_seconds, on_rung, rung_name

DEFAULT_CPU = 1
"""vCPUs of a job that asks for none."""
DEFAULT_GPU_CPU = 4
"""vCPUs of a job with a GPU that asks for none: less leaves the GPU waiting for its data."""
SHARED_MEMORY_PART = 4
"""A job with a GPU has a quarter of its memory as ``/dev/shm``, through which the workers of a data loader hand over
their batches; Docker's 64 MiB are not enough (https://pytorch.org/docs/stable/multiprocessing.html)."""
SHORTEST_TIMEOUT_SECONDS = 60
"""https://docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What a job is given."""

    cpu: float
    """Whole vCPUs on an instance; on Fargate there are a half and a quarter
    (https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html)."""
    memory_mib: int
    gpu: int = 0
    timeout_seconds: int
    """Longest attempt."""
    shared_memory_mib: int = 0
    """Size of ``/dev/shm``; 0 for Docker's default."""
    fargate: bool = False
    """Whether it runs without an instance."""
    disk_gib: int = 0
    """Its disk on Fargate; 0 for the disk of the instance, or what every job on Fargate has."""
    requirements: tuple[str, ...] = ()
    """Distributions of its image besides those of the DAG."""


def job_specs(placed: Mapping[str, Placement], tasks: Sequence[Task]) -> dict[str, JobSpec]:
    """Spec by placeholder (``JobDefinition_train``), for every task and rung of a ladder that runs on Batch.

    Raises ``DagError`` where two tasks with different needs share a placeholder, since their ids differ in
    punctuation only.
    """
    found: dict[str, tuple[str, JobSpec]] = {}
    problems: list[Problem] = []
    for task, placement, spec in jobs_of(placed, tasks):
        name = placement.job_definition[2:-1]
        other, known = found.setdefault(name, (task.id, spec))
        if known != spec:
            problems.append(_ambiguous(task, other))
    if problems:
        raise DagError(problems)
    return {name: spec for name, (_, spec) in found.items()}


def parts(specs: Mapping[str, JobSpec]) -> dict[str, str]:
    """The part of the name of its job definition by placeholder: the first task that needs the same.

    What a task needs may change, and change back: its job definition then has another revision. Named after what it is
    made of, it would be a resource of its own each time, and CloudFormation makes none whose name is there already
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html).

    >>> small, large = (JobSpec(cpu=cpu, memory_mib=2048, timeout_seconds=60) for cpu in (1, 2))
    >>> parts({"JobDefinition_b": small, "JobDefinition_c": large, "JobDefinition_a": small})
    {'JobDefinition_a': 'job-a', 'JobDefinition_b': 'job-a', 'JobDefinition_c': 'job-c'}
    """
    first: dict[JobSpec, str] = {}
    return {
        name: first.setdefault(specs[name], f"{JOBS}-{name.removeprefix('JobDefinition_')}")
        for name in sorted(specs)
    }


def jobs_of(
    placed: Mapping[str, Placement], tasks: Sequence[Task]
) -> Iterator[tuple[Task, Placement, JobSpec]]:
    """Every task, and rung of a ladder, that runs on Batch: where it was placed, and what it is given."""
    for task in tasks:
        for number in range(len(task.ladder) + 1):
            placement = placed[rung_name(task.id, number) if number else task.id]
            if placement.job_definition:
                rung = on_rung(task, number)
                yield rung, placement, _spec(rung, placement)


def _spec(task: Task, placement: Placement) -> JobSpec:
    need = task.resources
    memory, size = placement.memory_mib, placement.fargate
    timeout = max(SHORTEST_TIMEOUT_SECONDS, ceil(task.timeout_seconds or default_timeout_seconds(placement)))
    requirements = placement.image.requirements if placement.image else ()
    if size is not None:
        return JobSpec(
            cpu=size.cpu,
            memory_mib=memory,
            timeout_seconds=timeout,
            requirements=requirements,
            fargate=True,
            disk_gib=size.disk_gib if size.disk_gib > FREE_DISK_GIB else 0,
        )
    return JobSpec(
        cpu=ceil(need.cpu or (DEFAULT_GPU_CPU if need.gpu else DEFAULT_CPU)),
        memory_mib=memory,
        gpu=need.gpu,
        timeout_seconds=timeout,
        shared_memory_mib=memory // SHARED_MEMORY_PART if need.gpu else 0,
        requirements=requirements,
    )


def _ambiguous(task: Task, other: str) -> Problem:
    return problem_at(
        task.source,
        "job-definition-name",
        f"the job definitions of tasks {other!r} and {task.id!r} have the same name",
        task=task.id,
        expected="ids of tasks on Batch that differ in letters, digits or underscores",
        got="ids that differ in other characters only, and tasks that need different things",
        fix="give one of them another task_id",
    )

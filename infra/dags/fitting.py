"""`fitting_problems`: jobs that no instance of their queue can hold. Batch lets them wait, then cancels them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from infra.dags.job_specs import JobSpec, jobs_of
from infra.dags.targets import every_task
from infra.instance_types import KEPT_PERCENT, Size, sizes, types_of
from infra.settings import ENVIRONMENTS, Settings
from infra.settings_sections import Queue, QueueKind
from stepweave.compiler import Compiled
from stepweave.errors import Problem
from stepweave.graph.model import Task
from stepweave.graph.problems import problem_at


def fitting_problems(compiled: Compiled, settings: Settings) -> Iterator[Problem]:
    """Jobs of a DAG that need more than any instance of their queue has; none where a type's size is not known.

    Nothing on the local AWS. Without a network Batch has no compute of its own: users bring instances, but nobody can
    bring Fargate.
    """
    if settings.is_local:
        return
    kinds = settings.queues.kinds()
    for task, placement, spec in jobs_of(compiled.placements, list(every_task(compiled))):
        kind = cast(QueueKind, placement.job_queue.removeprefix("${JobQueue_").removesuffix("}"))
        if settings.network.mode == "none":
            if spec.fargate:
                yield _without_network(task, settings)
            continue
        queue = kinds[kind]
        if spec.cpu > _most_vcpus(kind, queue):
            yield _over_the_brake(task, spec, kind, settings)
        if spec.fargate:  # its sizes are the same everywhere
            continue
        types = types_of(kind, queue, settings.architecture)
        known = {name: sizes(name) for name in types}
        if all(known.values()) and not any(fits(spec, one) for found in known.values() for one in found):
            yield _too_large(task, spec, kind, known, settings)


def fits(spec: JobSpec, size: Size) -> bool:
    """Whether an instance can hold the job."""
    return spec.cpu <= size.vcpus and spec.gpu <= size.gpus and spec.memory_mib <= size.job_memory_mib


def _most_vcpus(kind: QueueKind, queue: Queue) -> int:
    """Most vCPUs of a job: those of the larger compute environment of the queue."""
    if not kind.endswith("_spot"):
        return queue.max_vcpus
    return max(queue.spot_vcpus, queue.max_vcpus - queue.spot_vcpus)


def _over_the_brake(task: Task, spec: JobSpec, kind: QueueKind, settings: Settings) -> Problem:
    most = _most_vcpus(kind, settings.queues.kinds()[kind])
    return problem_at(
        task.source,
        "job-too-large",
        f"its job needs more vCPUs than the compute of queue {kind} may have in {settings.env}",
        task=task.id,
        expected=f"at most {most} vCPUs",
        got=f"{spec.cpu:g}",
        fix=f"a smaller cpu=, or a larger max_vcpus in [queues.{kind}] of {ENVIRONMENTS}/{settings.env}.toml",
    )


def _without_network(task: Task, settings: Settings) -> Problem:
    return problem_at(
        task.source,
        "fargate-network",
        f"its job runs on Fargate, which has no network in {settings.env}",
        task=task.id,
        expected='[network] mode "create" or "existing"',
        got='"none"',
        fix=f"compute=Batch, or another mode in [network] of {ENVIRONMENTS}/{settings.env}.toml",
    )


def _too_large(
    task: Task, spec: JobSpec, kind: QueueKind, known: dict[str, tuple[Size, ...]], settings: Settings
) -> Problem:
    has = "; ".join(f"{name} (at most {found[-1]})" for name, found in known.items())
    gpus = f", {spec.gpu} GPU{'s' if spec.gpu > 1 else ''}" if spec.gpu else ""
    return problem_at(
        task.source,
        "job-too-large",
        f"no instance of queue {kind} in {settings.env} can hold its job",
        task=task.id,
        expected=f"what an instance has: {has}; {KEPT_PERCENT} % of the memory is not for jobs",
        got=f"{spec.cpu:g} vCPUs, {spec.memory_mib} MiB{gpus}",
        fix=_fix(spec, kind, known, settings),
    )


def _fix(spec: JobSpec, kind: QueueKind, known: dict[str, tuple[Size, ...]], settings: Settings) -> str:
    """A smaller job, where less memory is all it takes; else other instances."""
    elsewhere = f"larger instance_types in [queues.{kind}] of {ENVIRONMENTS}/{settings.env}.toml"
    roomy = [
        one.job_memory_mib
        for found in known.values()
        for one in found
        if spec.cpu <= one.vcpus and spec.gpu <= one.gpus
    ]
    if roomy:
        return f'memory="{max(roomy)}MiB" or less, or {elsewhere}'
    return f"fewer {'GPUs or vCPUs' if spec.gpu else 'vCPUs'}, or {elsewhere}"

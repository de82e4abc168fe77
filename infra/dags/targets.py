"""`targets`: what each placeholder of a DAG's definitions (``${TaskRunner2048}``) stands for.

TaskRunner…        a function of this DAG          JobDefinition_X    a job definition of this DAG
Rendezvous         a function of the platform      JobQueue_X         a queue of the platform
Approvals          likewise                        Machine_X, Dag_X   a machine of this DAG; another DAG
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from infra.dags.job_specs import JobSpec, job_specs, parts
from infra.packaging.runners import runners
from stepweave.asl.names import identifier
from stepweave.compiler import Compiled
from stepweave.deployed.names import RUNNERS
from stepweave.graph.model import Task
from stepweave.graph.specs import Places
from stepweave.planning.profiles import RUNNER, LambdaProfile

Kind: TypeAlias = Literal["runner", "platform", "job", "queue", "part", "dag"]

_PLACEHOLDER = re.compile(rb"\$\{([A-Za-z0-9_]+)\}")
_PLATFORM = {"Rendezvous": "rendezvous", "Approvals": "approvals"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a placeholder stands for."""

    kind: Kind
    name: str
    """Part of a function's name, kind of a queue, name of a machine, id of a DAG."""
    profile: LambdaProfile | None = None
    """Of a runner."""
    job: JobSpec | None = None
    """Of a job definition."""


def targets(compiled: Compiled) -> dict[str, Target]:
    """Target by placeholder, those that stand in a definition of the DAG."""
    known = {
        **{name: Target(kind="platform", name=part) for name, part in _PLATFORM.items()},
        **_runners(compiled),
        **_jobs(compiled),
        **{
            f"Machine_{identifier(name)}": Target(kind="part", name=name)
            for name in compiled.machines.definitions
            if name
        },
        **{
            f"Dag_{identifier(task.nested.dag)}": Target(kind="dag", name=task.nested.dag)
            for task in every_task(compiled)
            if task.nested is not None
        },
    }
    return {name: known.get(name) or _queue(name) for name in sorted(set(placeholders(compiled.files)))}


def placeholders(files: Mapping[str, bytes]) -> Iterator[str]:
    """Every placeholder in definition files."""
    for content in files.values():
        for found in _PLACEHOLDER.findall(content):
            yield found.decode()


def every_task(compiled: Compiled) -> Iterator[Task]:
    """Every task of the DAG, those inside of bodies included."""
    yield from Places.of(compiled.graph).tasks.values()


def runner_part(placeholder: str) -> str:
    """Part of a function's name for the placeholder of a task runner.

    >>> runner_part("TaskRunner"), runner_part("TaskRunner2048_t60")
    ('tasks', 'tasks-2048-t60')
    """
    rest = placeholder.removeprefix(RUNNER).replace("_", "-").strip("-")
    return f"{RUNNERS}-{rest}" if rest else RUNNERS


def _runners(compiled: Compiled) -> dict[str, Target]:
    return {
        name: Target(kind="runner", name=runner_part(name), profile=runner.profile)
        for name, runner in runners(compiled).items()
    }


def _jobs(compiled: Compiled) -> dict[str, Target]:
    specs = job_specs(compiled.placements, list(every_task(compiled)))
    return {name: Target(kind="job", name=part, job=specs[name]) for name, part in parts(specs).items()}


def _queue(placeholder: str) -> Target:
    prefix, _, kind = placeholder.partition("_")
    if prefix != "JobQueue":
        raise ValueError(f"no one knows what the placeholder ${{{placeholder}}} stands for")
    return Target(kind="queue", name=kind)

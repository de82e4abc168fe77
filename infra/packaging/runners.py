"""`runners(compiled)`: the task runners of a DAG, one per distinct profile, and the tasks that each of them runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stepweave.compiler import Compiled
from stepweave.graph.model import Task
from stepweave.graph.specs import Places
from stepweave.planning.placement import Placement, on_rung, place_rung, place_undo
from stepweave.planning.profiles import DEFAULT, RUNNER, ImageProfile, LambdaProfile

_USED = re.compile(rb"\$\{(" + RUNNER.encode() + rb"\w*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """One Lambda function that runs tasks."""

    name: str
    """Substitution that stands for it: ``TaskRunner2048_t60``."""
    profile: LambdaProfile
    requirements: tuple[str, ...]
    """Of the DAG and of the profile, sorted."""
    calls: tuple[str, ...]
    """Tasks that run in it, as ``module:qualname``, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job definition."""

    name: str
    """Substitution that stands for it: ``JobDefinition_train``."""
    image: ImageProfile
    requirements: tuple[str, ...]
    calls: tuple[str, ...]


def runners(compiled: Compiled) -> dict[str, Runner]:
    """The functions that the definitions of a DAG call, by substitution; ``TaskRunner`` always, for control calls."""
    dag = compiled.graph.dag
    profiles: dict[str, LambdaProfile] = {DEFAULT.name: DEFAULT}
    calls: dict[str, set[str]] = {DEFAULT.name: {call for call in (dag.on_failure, dag.on_success) if call}}
    for call, placement in _calls(compiled):
        if placement.profile is not None:
            profiles[placement.profile.name] = placement.profile
            calls.setdefault(placement.profile.name, set()).add(call)
    used = {name.decode() for content in compiled.files.values() for name in _USED.findall(content)}
    return {
        name: Runner(
            name=name,
            profile=profiles[name],
            requirements=tuple(sorted({*dag.requirements, *profiles[name].requirements})),
            calls=tuple(sorted(calls[name])),
        )
        for name in sorted({*used, DEFAULT.name})
    }


def jobs(compiled: Compiled) -> dict[str, Job]:
    """The job definitions of a DAG, by substitution."""
    dag = compiled.graph.dag
    found: dict[str, Job] = {}
    for call, placement in _calls(compiled):
        if placement.image is not None:
            name = placement.job_definition[2:-1]
            requirements = tuple(sorted({*dag.requirements, *placement.image.requirements}))
            found[name] = Job(name=name, image=placement.image, requirements=requirements, calls=(call,))
    return dict(sorted(found.items()))


def _calls(compiled: Compiled) -> Iterator[tuple[str, Placement]]:
    """Every function of the user's that runs, and where."""
    for task in Places.of(compiled.graph).tasks.values():
        yield from _calls_of(task, compiled)


def _calls_of(task: Task, compiled: Compiled) -> Iterator[tuple[str, Placement]]:
    if task.call:
        yield task.call, compiled.placements[task.id]
        for number in range(1, len(task.ladder) + 1):
            yield on_rung(task, number).call, place_rung(task, number)
    if task.compensate:
        yield task.compensate, place_undo(task)

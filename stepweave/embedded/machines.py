"""`to_engine`: compiled definitions as machines of the engine, their substitutions filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepweave import collector
from stepweave.asl.measure import every_state
from stepweave.asl.names import identifier
from stepweave.compiler import Compiled
from stepweave.embedded.calls import RENDEZVOUS, TASK_RUNNER
from stepweave.engine.machine import Machine
from stepweave.engine.reading import read
from stepweave.engine.substitution import substitute


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMachines:
    """What the engine needs of a compiled DAG."""

    root: str
    """Name of the machine that a run starts."""
    machines: Mapping[str, Machine]
    task_of_job_definition: Mapping[str, str]
    """Task behind each job definition's name."""


def to_engine(compiled: Compiled, *, timeouts: bool = True) -> EngineMachines:
    """The machines of ``compiled``, ready to run: functions, jobs, queues and nested machines have their names here.

    Without ``timeouts`` no task, gate or machine ends for the time it takes.
    """
    dag_id = compiled.graph.dag.id
    names = {name: f"{dag_id}.{name}" if name else dag_id for name in compiled.machines.definitions}
    mapping = {"TaskRunner": TASK_RUNNER, "Rendezvous": RENDEZVOUS}
    mapping |= {f"Machine_{identifier(name)}": full for name, full in names.items()}
    tasks: dict[str, str] = {}
    for task, placement in compiled.placements.items():
        if placement.function:
            mapping[_placeholder(placement.function)] = TASK_RUNNER
        else:
            definition, queue = _placeholder(placement.job_definition), _placeholder(placement.job_queue)
            mapping[definition], mapping[queue] = definition, queue
            tasks[definition] = task
    with collector.paused():
        machines = {
            names[name]: read(_filled(definition, mapping, timeouts), names[name])
            for name, definition in compiled.machines.definitions.items()
        }
    return EngineMachines(root=next(iter(machines)), machines=machines, task_of_job_definition=tasks)


def _filled(definition: Mapping[str, Any], mapping: Mapping[str, str], timeouts: bool) -> Mapping[str, Any]:
    filled = substitute(definition, mapping)
    if not timeouts:
        filled.pop("TimeoutSeconds", None)
        for _, state in every_state(filled):
            state.pop("TimeoutSeconds", None)
    return filled


def _placeholder(text: str) -> str:
    """The name in ``${name}``."""
    return text.removeprefix("${").removesuffix("}")

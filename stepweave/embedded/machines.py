"""`to_engine`: compiled definitions as machines of the engine, their substitutions filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stepweave import collector
from stepweave.asl.cleanup import NAME as CLEANUP
from stepweave.asl.measure import every_state
from stepweave.asl.names import identifier
from stepweave.compiler import Compiled
from stepweave.embedded.calls import APPROVALS, RENDEZVOUS, TASK_RUNNER
from stepweave.embedded.places import every_task
from stepweave.engine.machine import Machine
from stepweave.engine.reading import read
from stepweave.engine.substitution import substitute
from stepweave.graph.model import Graph, Task
from stepweave.planning.placement import on_rung

_PLACEHOLDER = re.compile(rb"\$\{([A-Za-z0-9_]+)\}")
_RUNG = re.compile(r"(.+)_level_(\d+)")
_JOB = "JobDefinition_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a job definition is for."""

    dag_id: str
    task: Task
    """With the resources of the rung of its ladder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMachines:
    """What the engine needs of compiled DAGs."""

    root: str
    """Name of the machine that a run starts."""
    machines: Mapping[str, Machine]
    jobs: Mapping[str, Job]
    """By the name of the job definition."""
    dags: Mapping[str, str]
    """DAG of each machine."""

    @property
    def task_of_job_definition(self) -> dict[str, str]:
        """Task behind each job definition's name."""
        return {name: job.task.id for name, job in self.jobs.items()}

    def cleanup_of(self, dag_id: str) -> str | None:
        """Name of the machine that cleans up after a run of a DAG that was stopped; None when nothing is to be."""
        name = f"{dag_id}.{CLEANUP}"
        return name if name in self.machines else None


def to_engine(*flows: Compiled, timeouts: bool = True) -> EngineMachines:
    """The machines of a DAG and of those inside it, ready to run: whatever they call has its name here.

    Without ``timeouts`` no task, gate or machine ends for the time it takes.
    """
    machines: dict[str, Machine] = {}
    jobs: dict[str, Job] = {}
    dags: dict[str, str] = {}
    nested = {f"Dag_{identifier(flow.graph.dag.id)}": flow.graph.dag.id for flow in flows}
    with collector.paused():
        for number, flow in enumerate(flows):
            dag_id = flow.graph.dag.id
            names = {name: f"{dag_id}.{name}" if name else dag_id for name in flow.machines.definitions}
            # Two DAGs may have tasks of the same name; the names of the DAG that is run stay as they are deployed.
            mapping = _mapping(flow, names, f"{identifier(dag_id)}_" if number else "") | nested
            for name, definition in flow.machines.definitions.items():
                machines[names[name]] = read(_filled(definition, mapping, timeouts), names[name])
                dags[names[name]] = dag_id
            jobs |= _jobs(flow.graph, mapping)
    return EngineMachines(root=next(iter(machines)), machines=machines, jobs=jobs, dags=dags)


def _mapping(flow: Compiled, names: Mapping[str, str], prefix: str) -> dict[str, str]:
    """What each placeholder of a DAG's definitions means here."""
    mapping = {f"Machine_{identifier(name)}": full for name, full in names.items()}
    for placeholder in _placeholders(flow.files.values()):
        if placeholder.startswith(TASK_RUNNER):  # one for each size of memory
            mapping[placeholder] = TASK_RUNNER
        elif placeholder in (RENDEZVOUS, APPROVALS):
            mapping[placeholder] = placeholder
        elif placeholder.startswith(("JobDefinition_", "JobQueue_")):
            mapping[placeholder] = prefix + placeholder
    return mapping


def _placeholders(files: Iterable[bytes]) -> Iterator[str]:
    for content in files:
        yield from {name.decode() for name in _PLACEHOLDER.findall(content)}


def _jobs(graph: Graph, mapping: Mapping[str, str]) -> dict[str, Job]:
    tasks = {identifier(task.id): task for task in every_task(graph)}
    found: dict[str, Job] = {}
    for placeholder, name in mapping.items():
        if not placeholder.startswith(_JOB):
            continue
        key = placeholder.removeprefix(_JOB)
        rung = _RUNG.fullmatch(key) if key not in tasks else None
        task = tasks[key] if rung is None else on_rung(tasks[rung[1]], int(rung[2]))
        found[name] = Job(dag_id=graph.dag.id, task=task)
    return found


def _filled(definition: Mapping[str, Any], mapping: Mapping[str, str], timeouts: bool) -> Mapping[str, Any]:
    filled = substitute(definition, mapping)
    if not timeouts:
        filled.pop("TimeoutSeconds", None)
        for _, state in every_state(filled):
            state.pop("TimeoutSeconds", None)
    return filled

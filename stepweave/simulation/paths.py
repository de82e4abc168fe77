"""`longest_path`: the critical path of a DAG under assumptions, from the graph alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stepweave.asl.scopes.limits import DISTRIBUTED_CONCURRENCY
from stepweave.embedded.scopes import awaited_by
from stepweave.graph.model import Graph, Task
from stepweave.graph.order import topological_order
from stepweave.graph.outcomes import EARLY_RULES, verdict_of
from stepweave.planning.placement import place
from stepweave.simulation.assumptions import Assumptions, cases_of

GraphOf = Callable[[str], Graph]
"""The graph of a DAG inside another, by its id."""


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The chain of tasks that decides how long a run takes."""

    tasks: tuple[str, ...]
    seconds: float


def longest_path(graph: Graph, assumptions: Assumptions, graph_of: GraphOf) -> CriticalPath:
    """The critical path of a run in which every task that runs succeeds."""
    statuses: dict[str, str] = {}
    chosen: dict[str, tuple[str, ...]] = {}
    ends: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for task_id in topological_order(graph):
        task = graph[task_id]
        ready, latest = _ready(task, graph, ends, statuses)
        verdict = verdict_of(graph, task, statuses, chosen)
        if task.expansion is not None and assumptions.items_of(task) == 0 and verdict == "run":
            verdict = "skipped"
        statuses[task_id] = "success" if verdict == "run" else verdict
        if cases_of(task):
            chosen[task_id] = (assumptions.case_of(task),)
        length = _length(task, assumptions, graph_of) if verdict == "run" else 0.0
        ends[task_id], before[task_id] = ready + length, latest
        _count_speculation(task, ends)
    last = max(ends, key=lambda task: ends[task], default=None)
    seconds = ends[last] if last is not None else 0.0
    path: list[str] = []
    while last is not None:
        path.append(last)
        last = before[last]
    return CriticalPath(tuple(reversed(path)), seconds)


def _ready(
    task: Task, graph: Graph, ends: Mapping[str, float], statuses: Mapping[str, str]
) -> tuple[float, str | None]:
    """When a task may begin, and the task that it waits for last."""
    decider = task.speculation.decider if task.speculation is not None else None
    waited = [one for one in awaited_by(task, graph) if one != decider]
    if task.trigger_rule == "always":
        waited = [guard.decider for guard in task.guards]
    elif task.trigger_rule in EARLY_RULES:
        succeeded = [one for one in task.upstream if statuses.get(one) == "success"]
        first = min(succeeded, key=lambda one: ends[one], default=None)
        if first is not None:
            waited = [first, *(guard.decider for guard in task.guards)]
    latest = max(waited, key=lambda one: ends[one], default=None)
    return (ends[latest] if latest is not None else 0.0), latest


def _count_speculation(task: Task, ends: dict[str, float]) -> None:
    """A speculation counts only once its decider has decided."""
    if task.speculation is not None and task.speculation.decider in ends:
        ends[task.id] = max(ends[task.id], ends[task.speculation.decider])


def _length(task: Task, assumptions: Assumptions, graph_of: GraphOf) -> float:
    """How long a node takes from its beginning."""
    if task.expansion is not None:
        return _map_length(task, assumptions, graph_of)
    if task.loop is not None:
        return assumptions.items_of(task) * _once(task, assumptions, graph_of)
    return _once(task, assumptions, graph_of)


def _map_length(task: Task, assumptions: Assumptions, graph_of: GraphOf) -> float:
    """Waves of items, as many at once as may be; items of a batch come one after another."""
    assert task.expansion is not None
    count = assumptions.items_of(task)
    size = task.expansion.batch_size or 1
    batches = -(-count // size)
    at_once = task.expansion.max_concurrency or (batches if place(task).is_job else DISTRIBUTED_CONCURRENCY)
    return -(-batches // min(at_once, batches)) * min(size, count) * _once(task, assumptions, graph_of)


def _once(task: Task, assumptions: Assumptions, graph_of: GraphOf) -> float:
    """One item, one round, or the node itself."""
    if task.condition is not None:
        return 0.0
    if task.body is not None:
        return longest_path(task.body.graph, assumptions, graph_of).seconds
    if task.nested is not None:
        return longest_path(graph_of(task.nested.dag), assumptions, graph_of).seconds
    return assumptions.seconds_of(task.id)

"""`needed`: of a DAG only some tasks and what they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from stepweave.authoring.suggest import did_you_mean
from stepweave.embedded.places import places_of
from stepweave.embedded.scopes import awaited_by
from stepweave.errors import UsageError
from stepweave.graph.model import FromTask, Graph, Task, references


def needed(graph: Graph, names: Iterable[str]) -> Graph:
    """``graph`` with the tasks of these names (or of task groups), all that they need, and the tear-downs of that.

    A task inside a body stands for the node around it. Raises ``UsageError`` for a name that means nothing.
    """
    pending = [task for name in names for task in _meant(graph, name)]
    wanted: set[str] = set()
    while pending:
        task = pending.pop()
        if task not in wanted:
            wanted.add(task)
            pending += awaited_by(graph[task], graph)
    wanted |= {task.id for task in graph.tasks if _cleans_up(task, wanted, graph)}
    return Graph(
        dag=graph.dag, tasks=tuple(_within(task, wanted) for task in graph.tasks if task.id in wanted)
    )


def _meant(graph: Graph, name: str) -> list[str]:
    if name in graph:
        return [name]
    grouped = [task.id for task in graph.tasks if name in task.groups]
    if grouped:
        return grouped
    places = places_of(graph)
    if name not in places:
        raise UsageError(f"DAG {graph.dag.id!r} has no task {name!r}; {did_you_mean(name, set(places))}")
    node = places[name].node
    while node is not None and node not in graph:
        node = places[node].node
    return [node] if node is not None else []


def _cleans_up(task: Task, wanted: set[str], graph: Graph) -> bool:
    """Whether ``task`` tears down something that is set up, with arguments that are there."""
    reads = {
        one.task for _, value in task.arguments for one in references(value) if isinstance(one, FromTask)
    }
    sets_up = any(up in wanted and graph[up].setup for up in task.upstream)
    return task.teardown and sets_up and reads <= wanted


def _within(task: Task, wanted: set[str]) -> Task:
    return replace(task, upstream=tuple(up for up in task.upstream if up in wanted))

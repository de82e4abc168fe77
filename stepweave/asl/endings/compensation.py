"""Compensation: what a failed run did is undone, by the tasks that were written for it (a *saga*, 1987).

One state for each task with ``compensate``, in reverse topological order. Whether there is anything to undo, the
runtime finds in the store, so no record of any task has to be carried to the end. An undo that fails does not keep the
others from running; the run's cause names it.

Price: nothing for a run that succeeds; 1 transition for each task with ``compensate`` for one that fails;
beyond 200 such tasks, 3 more for each machine of up to 500.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, pairwise
from typing import Any

from stepweave.asl import names, states
from stepweave.asl.failures import ALL_ERRORS
from stepweave.asl.payload import written
from stepweave.asl.scene import Scene
from stepweave.asl.states import State
from stepweave.graph.model import Graph, RetryPolicy, Task
from stepweave.graph.order import topological_order
from stepweave.graph.specs import Places, argument_specs
from stepweave.planning.placement import place_undo

NOT_UNDONE = "not_undone"
"""Variable: ids of the tasks whose undo failed."""
MOST_UNDONE = 200
"""Undo states that stand in the machine of their DAG: 6,400 of its 25,000 events."""
UNDONE_AT_ONCE = 500
"""Undo states of a machine of their own: 16,000 events."""
_UNDONE = "undone"
_TRIES = RetryPolicy(attempts=3)
"""An undo is tried again even where its task is not: nothing comes after it that could mend it."""


def compensated(graph: Graph) -> list[Task]:
    """The tasks that are undone when the run fails, the last first; those of bodies in the place of their node."""
    if not _any_compensated(graph):
        return []  # most DAGs, which then need not be put in order
    return [task for task in reversed(list(_in_order(graph))) if task.compensate]


def _any_compensated(graph: Graph) -> bool:
    return any(
        task.compensate or (task.body is not None and _any_compensated(task.body.graph))
        for task in graph.tasks
    )


def _in_order(graph: Graph) -> Iterator[Task]:
    for task_id in topological_order(graph):
        task = graph[task_id]
        if task.body is not None:
            yield from _in_order(task.body.graph)
        yield task


def undoing(scene: Scene, after: str) -> dict[str, State]:
    """The states that undo what the run did, the first one first; the last goes on to ``after``.

    Many are in machines of their own, which the machine of the DAG and the one that cleans up both call.
    """
    tasks = compensated(scene.graph)
    if len(tasks) <= MOST_UNDONE:
        return _in_a_row(tasks, scene, after)
    parts = [tasks[start : start + UNDONE_AT_ONCE] for start in range(0, len(tasks), UNDONE_AT_ONCE)]
    named = [*(names.undo_part(number) for number in range(1, len(parts) + 1)), after]
    found: dict[str, State] = {}
    for part, (name, following) in zip(parts, pairwise(named), strict=True):
        machine = names.identifier(name)
        scene.further[machine] = _machine(part, scene, f"machine {machine} of {scene.graph.dag.id}")
        found[name] = _call(machine, len(part), following)
    return found


def _in_a_row(tasks: Sequence[Task], scene: Scene, after: str) -> dict[str, State]:
    named = [*(names.undo(task.id) for task in tasks), after]
    return {
        name: _undo(task, scene, following)
        for task, (name, following) in zip(tasks, pairwise(named), strict=True)
    }


def _machine(tasks: Sequence[Task], scene: Scene, comment: str) -> dict[str, Any]:
    """The machine that undoes ``tasks``; it hands back the ids of those that it could not undo."""
    first = states.nested_start(with_records=False)
    first["Assign"][NOT_UNDONE] = []
    first["Next"] = names.undo(tasks[0].id)
    end: State = {"Type": "Succeed", "Output": {NOT_UNDONE: f"{{% ${NOT_UNDONE} %}}"}}
    return {
        "Comment": comment,
        "QueryLanguage": "JSONata",
        "StartAt": names.START,
        "States": {names.START: first, **_in_a_row(tasks, scene, _UNDONE), _UNDONE: end},
    }


def _call(machine: str, count: int, following: str) -> State:
    state = states.call(machine, {})
    state["Comment"] = f"undoes {count} tasks"
    state["Assign"] = {NOT_UNDONE: f"{{% $append(${NOT_UNDONE}, $states.result.Output.{NOT_UNDONE}) %}}"}
    noted = {NOT_UNDONE: f"{{% [${NOT_UNDONE}, '{machine}'] %}}"}
    state["Catch"] = [{"ErrorEquals": errors, "Assign": noted, "Next": following} for errors in ALL_ERRORS]
    state["Next"] = following
    return state


def _undo(task: Task, scene: Scene, following: str) -> State:
    placed = scene.placements[task.id]
    undone = replace(
        task,
        doc=f"undoes {task.id}",
        retry=task.retry if task.retry.attempts else _TRIES,
        timeout_seconds=None if placed.is_job else task.timeout_seconds,
        sensor=None,
    )
    state = states.light_task(undone, place_undo(task), _event(task, scene.places))
    noted = {NOT_UNDONE: f"{{% [${NOT_UNDONE}, '{task.id}'] %}}"}
    state["Catch"] = [{"ErrorEquals": errors, "Assign": noted, "Next": following} for errors in ALL_ERRORS]
    state["Next"] = following
    return state


def _event(task: Task, places: Places) -> dict[str, Any]:
    """The arguments are those of the task; values of its expressions are in its envelope."""
    number = count()
    specs = argument_specs(task.id, places, lambda _: next(number))
    return {
        "task": task.id,
        "call": task.compensate,
        "run": "{% $run %}",
        "attempt": "{% $states.context.State.RetryCount %}",
        **written(specs, task.compensate, places),
        "undo": {"of": task.id},
    }

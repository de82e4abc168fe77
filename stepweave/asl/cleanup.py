"""The machine that cleans up after a run that was stopped: cancelled, timed out, crashed.

    start run ─▶ tear-downs, in topological order ─▶ undo of each compensated task, the last first ─▶ cleaned up

It is started with the run's input and its ``run_id``. A tear-down runs only if one of its setups had succeeded; the
runtime finds that in the store, so nothing need be known of where the run was. Every failure is passed over.

An expression over other tasks among the arguments of a tear-down is ``None`` here: the records it reads are gone.
Tear-downs inside bodies (of mapped groups, of loops) are not run: how far each item was, nobody knows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stepweave.asl import names, states
from stepweave.asl.bodies import events
from stepweave.asl.bodies.carrying import carry_out
from stepweave.asl.bodies.outlet import Catcher
from stepweave.asl.bodies.way import Way, entry_of
from stepweave.asl.endings.compensation import NOT_UNDONE, compensated, undoing
from stepweave.asl.failures import ALL_ERRORS
from stepweave.asl.payload import expression_text, torn_down, written
from stepweave.asl.scene import Scene
from stepweave.asl.states import State
from stepweave.asl.text import comment
from stepweave.graph.model import Expression, FromTask, Task
from stepweave.graph.order import topological_order
from stepweave.graph.specs import Rounds, argument_specs

NAME = "cleanup"
"""Name of the machine among those of its DAG."""
_END = "cleaned up"


def cleanup(scene: Scene) -> dict[str, Any] | None:
    """The definition; None where there is nothing that could be cleaned up."""
    teardowns = _teardowns(scene)
    if not teardowns and not compensated(scene.graph):
        return None
    undos = undoing(scene, _END)
    entries = [entry_of(task.id, scene.placements[task.id]) for task in teardowns]
    found: dict[str, State] = {}
    for task, following in zip(teardowns, [*entries[1:], next(iter(undos), _END)], strict=False):
        found |= _tear_down(scene, task, following)
    found |= undos
    first = states.start(scene.graph)
    first["Assign"].pop(states.RUN_TRIES, None)
    if undos:
        first["Assign"][NOT_UNDONE] = []
    first["Next"] = next(iter(found))
    info = scene.graph.dag
    return {
        "Comment": comment(f"cleans up after a run of {info.id} that was stopped"),
        "QueryLanguage": "JSONata",
        "StartAt": names.START,
        "States": {names.START: first, **found, _END: _end(bool(undos))},
    }


def _teardowns(scene: Scene) -> list[Task]:
    """The tear-downs, each after those that it comes after."""
    found = {task.id for task in scene.graph.tasks if task.teardown and task.call and task.expansion is None}
    if not found:
        return []
    return [scene.graph[task_id] for task_id in topological_order(scene.graph) if task_id in found]


def _end(undone: bool) -> State:
    output = {"run_id": "{% $run.id %}", "status": "cleaned up"}
    return {
        "Type": "Succeed",
        "Output": {**output, **({NOT_UNDONE: f"{{% ${NOT_UNDONE} %}}"} if undone else {})},
    }


def _tear_down(scene: Scene, task: Task, following: str) -> dict[str, State]:
    way = Way(
        base=task.id,
        task=replace(task, ladder=(), fields=()),
        placement=scene.placements[task.id],
        event={
            **_event(scene, task),
            **events.options(task, scene.graph.dag),
        },
        outlet=_Onward(following),
        share=names.share(scene.graph.dag),
    )
    return carry_out(way)


def _event(scene: Scene, task: Task) -> dict[str, Any]:
    values: list[str | None] = []

    def number(found: Expression | Rounds) -> int:
        known = isinstance(found, Expression) and not any(isinstance(o, FromTask) for o in found.operands)
        values.append(f"{{% {expression_text(found, str)} %}}" if known else None)  # type: ignore[arg-type]
        return len(values) - 1

    specs = argument_specs(task.id, scene.places, number)
    setups = [up for up in task.upstream if scene.graph[up].setup]
    return {
        "task": task.id,
        "call": task.call,
        "run": "{% $run %}",
        "attempt": "{% $states.context.State.RetryCount %}",
        **written(specs, task.call, scene.places),
        **({"values": values} if values else {}),
        **torn_down(task, scene.places),
        **({"setups": setups} if setups else {}),
    }


class _Onward:
    """The outlet of a tear-down: whatever comes of it, the next one follows."""

    def __init__(self, following: str) -> None:
        self._following = following

    def succeed(self, state: State, record: Any) -> None:
        state["Next"] = self._following

    def catchers(self) -> list[Catcher]:
        return [{"ErrorEquals": errors, "Next": self._following} for errors in ALL_ERRORS]

    def failing(self, name: str) -> dict[str, State]:
        return {name: {"Type": "Pass", "Next": self._following}}

"""Bindings that are read by a state itself, not by the function of a task."""

from __future__ import annotations

import json
from typing import Any

from stepweave.asl import text
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.payload import expression_text
from stepweave.graph.model import Binding, Expression
from stepweave.graph.specs import Rounds, spec, task_references


def described(wiring: Wiring, name: str, binding: Binding) -> dict[str, Any]:
    """``args``, ``values`` and ``records`` of an event by which the runtime makes the value of ``binding``."""
    values: list[str] = []

    def number(found: Expression | Rounds) -> int:
        if isinstance(found, Rounds):
            values.append(f"{wiring.record_of(found.node)}.rounds - 1")
        else:
            values.append(expression_text(found, wiring.record_of))
        return len(values) - 1

    written = spec(binding, wiring.task.id, wiring.scene.places, number)
    event: dict[str, Any] = {
        "args": text.guard(json.dumps({name: written}, ensure_ascii=False, separators=(",", ":")))
    }
    at_hand = {task: wiring.useful_record_of(task) for task, _ in task_references(written)}
    records = {task: f"{{% {seen} %}}" for task, seen in at_hand.items() if seen}
    if records:
        event["records"] = records
    if values:
        event["values"] = [f"{{% {value} %}}" for value in values]
    return event

"""Conditions: one `Choice` that enters the case taken, or where the cases are elsewhere, a state that notes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.asl import names
from stepweave.asl.frames import Element
from stepweave.asl.jumps import Jumps
from stepweave.asl.payload import expression_text
from stepweave.asl.scene import Scene
from stepweave.asl.states import State
from stepweave.asl.text import comment
from stepweave.graph.constructs import ELSE


def choice(scene: Scene, element: Element, jumps: Jumps, entries: Mapping[str, str]) -> State:
    """The state of a condition with its cases; ``entries`` gives the first state of each case that has steps."""
    tests = _tests(scene, element)
    rules = [
        {"Condition": f"{{% {test} %}}", **_taken(scene, element, jumps, entries, case)}
        for case, test in tests
    ]
    otherwise = _taken(scene, element, jumps, entries, ELSE)
    state: State = {
        "Type": "Choice",
        "Comment": comment(scene.task(element).doc or element.task),
        "Choices": rules,
        "Default": otherwise.pop("Next"),
        **otherwise,
    }
    return state


def decided(scene: Scene, element: Element) -> State:
    """The state that notes which case is taken, for tasks that ask."""
    text = "".join(f"({test}) ? '{case}' : " for case, test in _tests(scene, element)) + f"'{ELSE}'"
    chosen = [f"{{% {text} %}}"]
    state: State = {
        "Type": "Pass",
        "Comment": comment(scene.task(element).doc or element.task),
        "Output": {"condition": element.task, "chosen": chosen},
    }
    if element in scene.reads.used:
        state["Assign"] = {names.variable(element.task): {"status": "success", "chosen": chosen}}
    return state


def _tests(scene: Scene, element: Element) -> list[tuple[str, str]]:
    condition = scene.task(element).condition
    assert condition is not None
    return [
        (case, expression_text(test, lambda task: scene.sight.required(task, element).expression))
        for case, test in condition.cases
    ]


def _taken(
    scene: Scene, element: Element, jumps: Jumps, entries: Mapping[str, str], case: str
) -> dict[str, Any]:
    """What the state does when ``case`` is taken: the others are skipped."""
    skipped = {"status": "{% 'skipped' %}", "by": [element.task]}
    assign: dict[str, Any] = {}
    for other, frame in zip(element.cases, element.frames, strict=True):
        if other != case:
            assign.update(jumps.records_of_frame(frame, skipped, element.high))
    target = entries.get(case)
    if target is None:
        passed, target = jumps.jump_past(element, skipped)
        assign.update(passed)
    # After all others, since only now it is known whether somebody reads it.
    if element in scene.reads.used:
        assign[names.variable(element.task)] = {"status": "success", "chosen": [case]}
    return {
        **({"Assign": assign} if assign else {}),
        "Output": {"condition": element.task, "chosen": [case]},
        "Next": target,
    }

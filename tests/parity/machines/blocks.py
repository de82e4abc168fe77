"""Machines for Parallel and inline Map: branches, iterations, their inputs, results and failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.engine.building import block
from tests.parity.cases import Case, Fails, case, passing, task
from tests.parity.machines.tasks import CAUGHT, catcher, retrier


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Parallel state."""
    return {"Type": "Parallel", "Branches": list(branches), **fields}


def mapping(*states: tuple[str, dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A Map state whose iterations run ``states``."""
    return {"Type": "Map", "ItemProcessor": block(*states), **fields}


FAILING = block(("f", {"Type": "Fail", "Error": "E", "Cause": "c"}))
"""A branch that fails."""


def branches() -> Iterator[Case]:
    """Parallel states."""
    one, two = block(("x", passing("{% $states.input %}"))), block(("y", passing()), ("z", passing(["{% $states.input %}"])))
    yield case("parallel gives the results in order", ("p", parallel(one, two)), ("b", passing()), inputs=(1, {"a": 1}, None))
    yield case("parallel of one branch gives an array", ("p", parallel(one)), inputs=(1, [1]))
    yield case("parallel with arguments", ("p", parallel(one, two, Arguments={"a": "{% $states.input.x %}"})), inputs=({"x": 1},))
    yield case("parallel whose arguments are one expression", ("p", parallel(one, Arguments="{% $states.input.x %}")), inputs=({"x": [1]}, {"x": "t"}))
    yield case("parallel whose arguments fail", ("p", parallel(one, Arguments="{% $no %}", Catch=[catcher("States.ALL")])), CAUGHT)
    yield case("parallel with output and assign", ("p", parallel(one, two, Output="{% $sum($append($states.result[0], $states.result[1])) %}", Assign={"r": "{% $states.result %}"})), ("b", passing("{% [$r, $states.input] %}")), inputs=(2,))
    yield case("parallel that calls tasks", ("p", parallel(block(("s", task("{% $states.input.a %}"))), block(("t", task("{% $states.input.b %}"))))), inputs=({"a": 1, "b": 2},))
    yield case("parallel in parallel", ("p", parallel(block(("q", parallel(one, block(("w", passing("w")))))), two)), inputs=(1,))
    yield case("parallel with a succeed in a branch", ("p", parallel(block(("s", {"Type": "Succeed", "Output": "s"})), one)))
    yield case("parallel with a choice in a branch", ("p", parallel(block(("c", {"Type": "Choice", "Choices": [{"Condition": "{% $states.input > 1 %}", "Next": "l"}], "Default": "r"}), ("l", passing("l", End=True)), ("r", passing("r", End=True))), one)), inputs=(1, 2))
    yield case("parallel with a wait in a branch", ("p", parallel(block(("w", {"Type": "Wait", "Seconds": 3})), one)))


def failed_branches() -> Iterator[Case]:
    """Parallel states of which a branch fails."""
    fine = block(("x", passing()))
    yield case("a branch that fails fails the machine", ("p", parallel(FAILING)))
    yield case("a branch fails beside another", ("p", parallel(fine, FAILING)))
    yield case("a failed branch is caught", ("p", parallel(FAILING, Catch=[catcher("E", Output="{% $states.errorOutput %}")])), CAUGHT)
    yield case("a failed branch is caught as BranchFailed", ("p", parallel(FAILING, Catch=[catcher("States.BranchFailed")])), CAUGHT)
    yield case("a failed branch is caught as TaskFailed", ("p", parallel(FAILING, Catch=[catcher("States.TaskFailed")])), CAUGHT)
    yield case("a failed branch is caught with the input of the state", ("p", parallel(FAILING, Arguments=2, Catch=[catcher("E", Output="{% $states.input %}")])), CAUGHT, inputs=(1,))
    yield case("a catcher in the branch and one outside", ("p", parallel(block(("t", task(Catch=[catcher("E", to="u")])), ("u", {"Type": "Fail", "Error": "F"})), Catch=[catcher("F", Output="{% $states.errorOutput.Error %}")])), CAUGHT, answers={"t": Fails("E")})
    yield case("a task fails in a branch", ("p", parallel(block(("t", task())), Catch=[catcher("E")])), CAUGHT, answers={"t": Fails("E", "why")})
    yield case("parallel is tried again", ("p", parallel(fine, block(("t", task())), Retry=[retrier("E", MaxAttempts=2)])), answers={"t": (Fails("E"), Fails("E"), 5)})
    yield case("parallel is tried again in vain", ("p", parallel(block(("t", task())), Retry=[retrier("E", MaxAttempts=1)], Catch=[catcher("E", Output="{% $states.context.State.RetryCount %}")])), CAUGHT, answers={"t": Fails("E")})
    yield case("parallel is tried again with its retry count", ("p", parallel(block(("t", task("{% $states.input %}"))), Arguments="{% $states.context.State.RetryCount %}", Retry=[retrier("States.ALL")])), answers={"t 0": Fails("E"), "t 1": Fails("F"), "t 2": "fine"})
    yield case("a retried task in a retried parallel", ("p", parallel(block(("t", task(Retry=[retrier("E", MaxAttempts=1)]))), Retry=[retrier("E", MaxAttempts=1)])), answers={"t": Fails("E")})
    yield case("parallel whose output fails is tried again", ("p", parallel(block(("t", task())), Output="{% $states.result[0].v %}", Retry=[retrier("States.QueryEvaluationError")])), answers={"t": ({}, {"v": 1})})
    yield case("parallel whose output fails is caught", ("p", parallel(fine, Output="{% $no %}", Catch=[catcher("States.QueryEvaluationError", Output="{% $states.errorOutput.Error %}")])), CAUGHT)
    for name, state in {"a Pass": passing("{% $no %}"), "a Choice": {"Type": "Choice", "Choices": [{"Condition": "{% $no %}", "Next": "e"}]}, "no match": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "e"}]}, "a Wait": {"Type": "Wait", "Seconds": "{% $no %}"}, "a Succeed": {"Type": "Succeed", "Output": "{% $no %}"}, "a Fail": {"Type": "Fail", "Error": "{% $no %}"}}.items():
        states = (("s", state), ("e", passing())) if state["Type"] == "Choice" else (("s", state),)
        yield case(f"the failed expression of {name} is caught outside", ("p", parallel(block(*states), Catch=[catcher("States.ALL", Output="{% $states.errorOutput.Error %}")])), CAUGHT)


def iterations() -> Iterator[Case]:
    """Inline Map states."""
    item = ("i", passing("{% $states.input %}"))
    for name, value in {"items": [1, 2, 3], "one item": [7], "no items": [], "items of all kinds": [None, "x", {}, [], False, [1, [2]]]}.items():
        yield case(f"map over {name}", ("m", mapping(item, Items="{% $states.input.xs %}")), inputs=({"xs": value},))
        yield case(f"map over its input, {name}", ("m", mapping(item)), ("b", passing()), inputs=(value,))
    yield case("map over an array in the definition", ("m", mapping(item, Items=[1, "{% 1 + 1 %}", {"a": "{% $states.input %}"}])), inputs=(5,))
    for name, expression in {"an object": "{'a': 1}", "text": "'abc'", "a number": "3", "null": "null", "undefined": "$states.input.no"}.items():
        yield case(f"map over {name}", ("m", mapping(item, Items=f"{{% {expression} %}}")))
    for name, value in {"an object": {"a": 1}, "a number": 3, "null": None}.items():
        yield case(f"map over its input, {name}", ("m", mapping(item)), inputs=(value,))
    yield case("map items of a failed expression are caught", ("m", mapping(item, Items="{% {} %}", Catch=[catcher("States.QueryEvaluationError", Output=1)])), CAUGHT)
    selector = {"i": "{% $states.context.Map.Item.Index %}", "v": "{% $states.context.Map.Item.Value %}", "all": "{% $states.input.n %}", "s": "{% $states.context.State.Name %}"}
    yield case("map with a selector", ("m", mapping(item, Items="{% $states.input.xs %}", ItemSelector=selector)), inputs=({"xs": ["a", None], "n": 9},))
    yield case("map with a selector that is one expression", ("m", mapping(item, ItemSelector="{% $states.context.Map.Item.Value * 2 %}")), inputs=([1, 2],))
    yield case("map with a constant selector", ("m", mapping(item, ItemSelector={"k": 1})), inputs=([1, 2],))
    yield case("map whose selector fails", ("m", mapping(item, ItemSelector="{% $states.context.Map.Item.Value.no %}", Catch=[catcher("States.ALL", Output="{% $states.errorOutput.Error %}")])), CAUGHT, inputs=([1], []))
    for name, limit in {"1": 1, "2": 2, "0": 0, "an expression": "{% 1 + 1 %}"}.items():
        yield case(f"map with a concurrency of {name}", ("m", mapping(("t", task("{% $states.input %}")), MaxConcurrency=limit)), inputs=([3, 1, 2],))
    yield case("map with output and assign", ("m", mapping(item, Output="{% $sum($states.result) %}", Assign={"r": "{% $states.result %}"})), ("b", passing("{% [$states.input, $r] %}")), inputs=([1, 2],))
    yield case("map with a mode", ("m", {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **block(item)}}), inputs=([1],))
    yield case("map in map", ("m", mapping(("n", mapping(("i", passing("{% $states.input + 1 %}")))))), inputs=([[1, 2], [], [3]],))
    yield case("parallel in map", ("m", mapping(("p", parallel(block(item), block(("j", passing("j"))))))), inputs=([1, 2],))
    yield case("map in parallel", ("p", parallel(block(("m", mapping(item))), block(("j", passing("j"))))), inputs=([1, 2],))
    yield case("map of several states", ("m", mapping(("c", {"Type": "Choice", "Choices": [{"Condition": "{% $states.input > 1 %}", "Next": "t"}], "Default": "e"}), ("t", task("{% $states.input %}", End=True)), ("e", {"Type": "Succeed", "Output": "small"}))), inputs=([1, 2, 3],))


def failed_iterations() -> Iterator[Case]:
    """Inline Map states of which an iteration fails."""
    called = ("t", task("{% $states.input %}"))
    yield case("an iteration that fails fails the map", ("m", mapping(called)), inputs=([1],), answers={"t": Fails("E")})
    yield case("the last iteration fails", ("m", mapping(called, MaxConcurrency=1, Catch=[catcher("E", Output="{% $states.errorOutput %}")])), CAUGHT, inputs=([1, 2, 3],), answers={"t 3": Fails("E")})
    yield case("the first iteration fails", ("m", mapping(called, MaxConcurrency=1, Catch=[catcher("E")])), CAUGHT, inputs=([1, 2, 3],), answers={"t 1": Fails("E")})
    yield case("an iteration catches", ("m", mapping(("t", task("{% $states.input %}", Catch=[catcher("E", to="u")], End=True)), ("u", passing("caught")))), inputs=([1, 2, 3],), answers={"t 2": Fails("E")})
    yield case("an iteration tries again", ("m", mapping(("t", task("{% $states.input %}", Retry=[retrier("E")])))), inputs=([1, 2],), answers={"t 2": (Fails("E"), "two")})
    yield case("map is tried again", ("m", mapping(called, MaxConcurrency=1, Retry=[retrier("E")])), inputs=([1, 2],), answers={"t 2": (Fails("E"), "two")})
    yield case("map is tried again with its retry count", ("m", mapping(called, ItemSelector="{% $states.context.State.RetryCount %}", Retry=[retrier("E")])), inputs=([1],), answers={"t 0": Fails("E")})
    yield case("a Fail in an iteration", ("m", mapping(("f", {"Type": "Fail", "Error": "{% 'E' & $states.input %}", "Cause": "c"}), Catch=[catcher("E1", Output="{% $states.errorOutput %}")])), CAUGHT, inputs=([1],))
    yield case("a failed expression in an iteration", ("m", mapping(("i", passing("{% $states.input.no %}")), Catch=[catcher("States.ALL", Output="{% $states.errorOutput.Error %}")])), CAUGHT, inputs=([1], []))
    yield case("map whose output fails is tried again", ("m", mapping(called, Output="{% $states.result[0].v %}", Retry=[retrier("States.ALL")])), inputs=([1],), answers={"t": ({}, {"v": 1})})


CASES = (*branches(), *failed_branches(), *iterations(), *failed_iterations())

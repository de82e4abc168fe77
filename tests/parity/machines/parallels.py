"""Machines for Parallel: branches, their input, results and failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.engine.building import block
from tests.parity.cases import Case, Fails, case, passing, task
from tests.parity.machines.tasks import CAUGHT, catcher, retrier


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Parallel state."""
    return {"Type": "Parallel", "Branches": list(branches), **fields}


ONE = block(("x", passing("{% $states.input %}")))
TWO = block(("y", passing()), ("z", passing(["{% $states.input %}"])))
FINE = block(("x", passing()))
FAILING = block(("f", {"Type": "Fail", "Error": "E", "Cause": "c"}))
"""A branch that fails."""


def branches() -> Iterator[Case]:
    """Parallel states."""
    yield case(
        "parallel gives the results in order",
        ("p", parallel(ONE, TWO)),
        ("b", passing()),
        inputs=(1, {"a": 1}, None),
    )
    yield case("parallel of one branch gives an array", ("p", parallel(ONE)), inputs=(1, [1]))
    yield case(
        "parallel with arguments",
        ("p", parallel(ONE, TWO, Arguments={"a": "{% $states.input.x %}"})),
        inputs=({"x": 1},),
    )
    yield case(
        "parallel whose arguments are one expression",
        ("p", parallel(ONE, Arguments="{% $states.input.x %}")),
        inputs=({"x": [1]}, {"x": "t"}),
    )
    yield case(
        "parallel whose arguments fail",
        ("p", parallel(ONE, Arguments="{% $no %}", Catch=[catcher("States.ALL")])),
        CAUGHT,
    )
    yield case(
        "parallel with output and assign",
        (
            "p",
            parallel(
                ONE,
                TWO,
                Output="{% $sum($append($states.result[0], $states.result[1])) %}",
                Assign={"r": "{% $states.result %}"},
            ),
        ),
        ("b", passing("{% [$r, $states.input] %}")),
        inputs=(2,),
    )
    yield case(
        "parallel that calls tasks",
        (
            "p",
            parallel(
                block(("s", task("{% $states.input.a %}"))), block(("t", task("{% $states.input.b %}")))
            ),
        ),
        inputs=({"a": 1, "b": 2},),
    )


def nested_branches() -> Iterator[Case]:
    """Parallel states in each other, and around states of other kinds."""
    yield case(
        "parallel in parallel",
        ("p", parallel(block(("q", parallel(ONE, block(("w", passing("w")))))), TWO)),
        inputs=(1,),
    )
    yield case(
        "parallel with a succeed in a branch",
        ("p", parallel(block(("s", {"Type": "Succeed", "Output": "s"})), ONE)),
    )
    yield case(
        "parallel with a choice in a branch",
        (
            "p",
            parallel(
                block(
                    (
                        "c",
                        {
                            "Type": "Choice",
                            "Choices": [{"Condition": "{% $states.input > 1 %}", "Next": "l"}],
                            "Default": "r",
                        },
                    ),
                    ("l", passing("l", End=True)),
                    ("r", passing("r", End=True)),
                ),
                ONE,
            ),
        ),
        inputs=(1, 2),
    )
    yield case(
        "parallel with a wait in a branch", ("p", parallel(block(("w", {"Type": "Wait", "Seconds": 3})), ONE))
    )


def failed_branches() -> Iterator[Case]:
    """Parallel states of which a branch fails."""
    yield case("a branch that fails fails the machine", ("p", parallel(FAILING)))
    yield case("a branch fails beside another", ("p", parallel(FINE, FAILING)))
    yield case(
        "a failed branch is caught",
        ("p", parallel(FAILING, Catch=[catcher("E", Output="{% $states.errorOutput %}")])),
        CAUGHT,
    )
    yield case(
        "a failed branch is caught as BranchFailed",
        ("p", parallel(FAILING, Catch=[catcher("States.BranchFailed")])),
        CAUGHT,
    )
    yield case(
        "a failed branch is caught as TaskFailed",
        ("p", parallel(FAILING, Catch=[catcher("States.TaskFailed")])),
        CAUGHT,
    )
    yield case(
        "a failed branch is caught with the input of the state",
        ("p", parallel(FAILING, Arguments=2, Catch=[catcher("E", Output="{% $states.input %}")])),
        CAUGHT,
        inputs=(1,),
    )
    yield case(
        "a catcher in the branch and one outside",
        (
            "p",
            parallel(
                block(("t", task(Catch=[catcher("E", to="u")])), ("u", {"Type": "Fail", "Error": "F"})),
                Catch=[catcher("F", Output="{% $states.errorOutput.Error %}")],
            ),
        ),
        CAUGHT,
        answers={"t": Fails("E")},
    )


def repeated_branches() -> Iterator[Case]:
    """Parallel states that are tried again."""
    yield case(
        "a task fails in a branch",
        ("p", parallel(block(("t", task())), Catch=[catcher("E")])),
        CAUGHT,
        answers={"t": Fails("E", "why")},
    )
    yield case(
        "parallel is tried again",
        ("p", parallel(FINE, block(("t", task())), Retry=[retrier("E", MaxAttempts=2)])),
        answers={"t": (Fails("E"), Fails("E"), 5)},
    )
    yield case(
        "parallel is tried again in vain",
        (
            "p",
            parallel(
                block(("t", task())),
                Retry=[retrier("E", MaxAttempts=1)],
                Catch=[catcher("E", Output="{% $states.context.State.RetryCount %}")],
            ),
        ),
        CAUGHT,
        answers={"t": Fails("E")},
    )
    yield case(
        "parallel is tried again with its retry count",
        (
            "p",
            parallel(
                block(("t", task("{% $states.input %}"))),
                Arguments="{% $states.context.State.RetryCount %}",
                Retry=[retrier("States.ALL")],
            ),
        ),
        answers={"t 0": Fails("E"), "t 1": Fails("F"), "t 2": "fine"},
    )
    yield case(
        "a retried task in a retried parallel",
        (
            "p",
            parallel(
                block(("t", task(Retry=[retrier("E", MaxAttempts=1)]))), Retry=[retrier("E", MaxAttempts=1)]
            ),
        ),
        answers={"t": Fails("E")},
    )


def failed_expressions() -> Iterator[Case]:
    """Expressions that fail in a Parallel, or in what it runs."""
    yield case(
        "parallel whose output fails is tried again",
        (
            "p",
            parallel(
                block(("t", task())),
                Output="{% $states.result[0].v %}",
                Retry=[retrier("States.QueryEvaluationError")],
            ),
        ),
        answers={"t": ({}, {"v": 1})},
    )
    yield case(
        "parallel whose output fails is caught",
        (
            "p",
            parallel(
                FINE,
                Output="{% $no %}",
                Catch=[catcher("States.QueryEvaluationError", Output="{% $states.errorOutput.Error %}")],
            ),
        ),
        CAUGHT,
    )
    for name, state in {
        "a Pass": passing("{% $no %}"),
        "a Choice": {"Type": "Choice", "Choices": [{"Condition": "{% $no %}", "Next": "e"}]},
        "no match": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "e"}]},
        "a Wait": {"Type": "Wait", "Seconds": "{% $no %}"},
        "a Succeed": {"Type": "Succeed", "Output": "{% $no %}"},
        "a Fail": {"Type": "Fail", "Error": "{% $no %}"},
    }.items():
        states = (("s", state), ("e", passing())) if state["Type"] == "Choice" else (("s", state),)
        yield case(
            f"the failed expression of {name} is caught outside",
            (
                "p",
                parallel(
                    block(*states), Catch=[catcher("States.ALL", Output="{% $states.errorOutput.Error %}")]
                ),
            ),
            CAUGHT,
        )


CASES = (*branches(), *nested_branches(), *failed_branches(), *repeated_branches(), *failed_expressions())

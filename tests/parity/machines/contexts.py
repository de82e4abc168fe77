"""Machines for the context object."""

from __future__ import annotations

from collections.abc import Iterator

from tests.engine.building import block
from tests.parity.cases import Case, case, passing, task
from tests.parity.machines.maps import mapping
from tests.parity.machines.parallels import parallel


def context() -> Iterator[Case]:
    """The context object."""
    names = {"name": "State.Name", "input": "Execution.Input", "redrives": "Execution.RedriveCount"}
    yield case(
        "context in a Pass",
        ("a", passing(9)),
        ("b", passing({key: f"{{% $states.context.{path} %}}" for key, path in names.items()})),
        inputs=({"x": 1},),
    )
    for path in (
        "Execution.Id",
        "Execution.Name",
        "Execution.RoleArn",
        "Execution.StartTime",
        "State.EnteredTime",
        "StateMachine.Id",
        "StateMachine.Name",
    ):
        yield case(
            f"context has {path}",
            ("a", passing(f"{{% $type($states.context.{path}) %}}")),
            ("t", task(Output=f"{{% $exists($states.context.{path}) %}}")),
        )
    for path in ("State.RetryCount", "Task", "Map", "Execution.RedriveTime", "no"):
        yield case(
            f"a Pass has no context of {path}", ("a", passing(f"{{% $exists($states.context.{path}) %}}"))
        )
        yield case(
            f"a Task and {path} in its context",
            ("t", task(Output=f"{{% $exists($states.context.{path}) %}}")),
        )


def contexts_inside() -> Iterator[Case]:
    """The context object in states of other kinds, and inside branches and iterations."""
    yield case(
        "a Parallel has a retry count",
        (
            "p",
            parallel(
                block(("a", passing("{% $exists($states.context.State.RetryCount) %}"))),
                Output="{% [$states.context.State.RetryCount, $states.result[0]] %}",
            ),
        ),
    )
    yield case(
        "a Map has a retry count",
        ("m", mapping(("a", passing()), Output="{% $states.context.State.RetryCount %}")),
        inputs=([1],),
    )
    yield case(
        "a Wait and a Choice know their names",
        ("w", {"Type": "Wait", "Seconds": 0, "Output": "{% $states.context.State.Name %}"}),
        (
            "c",
            {
                "Type": "Choice",
                "Choices": [
                    {
                        "Condition": "{% $states.context.State.Name = 'c' and $states.input = 'w' %}",
                        "Next": "y",
                    }
                ],
            },
        ),
        ("y", passing("y")),
    )
    yield case(
        "the index of an item in its states",
        ("m", mapping(("a", passing("{% $exists($states.context.Map.Item.Index) %}")))),
        inputs=([5, 6],),
    )


def reaches() -> Iterator[Case]:
    """How far the context object reaches, and `$states` as a whole."""
    yield case(
        "the item in what comes after the map",
        ("m", mapping(("a", passing()), Output="{% $exists($states.context.Map) %}")),
        inputs=([5],),
    )
    yield case(
        "the input of the execution in a branch",
        ("a", passing(1)),
        ("p", parallel(block(("b", passing("{% [$states.context.Execution.Input, $states.input] %}"))))),
        inputs=({"x": 1},),
    )
    yield case(
        "time in the context is a time",
        (
            "a",
            passing(
                "{% $toMillis($states.context.State.EnteredTime) >= $toMillis($states.context.Execution.StartTime) %}"
            ),
        ),
    )
    yield case(
        "an input of the whole of states",
        ("a", passing("{% $keys($states.input) %}")),
        inputs=({"b": 1, "a": 2},),
    )
    yield case(
        "states through a variable of an expression",
        ("a", passing("{% ($s := $states; $s.input) %}")),
        inputs=({"b": 1},),
    )


CASES = (*context(), *contexts_inside(), *reaches())

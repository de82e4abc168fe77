"""Machines for Catch, and every name of an error against every wildcard."""

from __future__ import annotations

from collections.abc import Iterator

from tests.parity.cases import Case, Fails, case, passing, task
from tests.parity.machines.tasks import CAUGHT, catcher, retrier

FAILING = {"t": Fails("E", "why")}


def catches() -> Iterator[Case]:
    """Catch with all its fields."""
    yield case("catch hands the error on", ("t", task(Catch=[catcher("E")])), CAUGHT, answers=FAILING)
    yield case(
        "catch has output",
        (
            "t",
            task(
                Catch=[
                    catcher(
                        "E",
                        Output={
                            "e": "{% $states.errorOutput.Error %}",
                            "i": "{% $states.input %}",
                            "c": "{% $states.errorOutput.Cause %}",
                        },
                    )
                ]
            ),
        ),
        CAUGHT,
        inputs=(3,),
        answers=FAILING,
    )
    yield case(
        "catch assigns instead of the state",
        ("t", task(Assign={"a": 1}, Catch=[catcher("E", Assign={"b": "{% $states.errorOutput.Error %}"})])),
        ("caught", passing("{% {'a': $exists($a), 'b': $b} %}")),
        answers=FAILING,
    )
    yield case(
        "the state assigns when nothing is caught",
        ("t", task(Assign={"a": 1}, Catch=[catcher("E", Assign={"b": 2})], Next="z")),
        ("caught", passing(End=True)),
        ("z", passing("{% {'a': $a, 'b': $exists($b)} %}")),
    )


def order() -> Iterator[Case]:
    """Which catcher is taken."""
    yield case(
        "the first catcher that matches",
        ("t", task(Catch=[catcher("A"), catcher("E", "A", to="second"), catcher("States.ALL")])),
        CAUGHT,
        ("second", passing("second", End=True)),
        answers=FAILING,
    )
    yield case(
        "catch all at the end",
        ("t", task(Catch=[catcher("A", to="second"), catcher("States.ALL")])),
        CAUGHT,
        ("second", passing("second", End=True)),
        answers=FAILING,
    )
    yield case("no catcher matches", ("t", task(Catch=[catcher("A"), catcher("B")])), CAUGHT, answers=FAILING)
    yield case(
        "a catcher whose output fails",
        ("t", task(Catch=[catcher("E", Output="{% $no %}"), catcher("States.ALL", to="second")])),
        CAUGHT,
        ("second", passing("second", End=True)),
        answers=FAILING,
    )
    yield case(
        "a catcher whose assign fails",
        ("t", task(Catch=[catcher("E", Assign={"x": "{% $no %}"})])),
        CAUGHT,
        answers=FAILING,
    )


def failed_fields() -> Iterator[Case]:
    """Fields whose expressions fail."""
    yield case(
        "catch of failed arguments",
        (
            "t",
            task(
                Arguments="{% $no %}",
                Catch=[catcher("States.QueryEvaluationError", Output="{% $states.errorOutput.Error %}")],
            ),
        ),
        CAUGHT,
    )
    yield case(
        "catch of a failed output",
        (
            "t",
            task(
                Output="{% $states.result.no %}",
                Catch=[catcher("States.ALL", Output="{% $states.errorOutput.Error %}")],
            ),
        ),
        CAUGHT,
    )
    yield case(
        "catch of a failed assign",
        ("t", task(Assign={"x": "{% $no %}"}, Catch=[catcher("States.ALL", Output="{% $exists($x) %}")])),
        CAUGHT,
    )


def ways() -> Iterator[Case]:
    """What a catcher sees after retries, and where it leads."""
    yield case(
        "retry count in a catcher",
        (
            "t",
            task(
                Retry=[retrier("E", MaxAttempts=2)],
                Catch=[catcher("E", Output="{% $states.context.State.RetryCount %}")],
            ),
        ),
        CAUGHT,
        answers=FAILING,
    )
    yield case(
        "catch leads back to the task",
        ("t", task(Catch=[catcher("E", to="again")], Next="z")),
        ("again", passing(Next="t")),
        ("z", passing()),
        answers={"t": (Fails("E"), Fails("E"), "fine")},
    )
    yield case(
        "catch leads to a failure",
        ("t", task(Catch=[catcher("E", to="f")], End=True)),
        (
            "f",
            {
                "Type": "Fail",
                "Error": "{% $states.input.Error & '2' %}",
                "Cause": "{% $states.input.Cause %}",
            },
        ),
        answers=FAILING,
    )
    yield case(
        "a catcher with a comment", ("t", task(Catch=[catcher("E", Comment="c")])), CAUGHT, answers=FAILING
    )


ERRORS = (
    "Custom",
    "Lambda.Unknown",
    "States.TaskFailed",
    "States.Timeout",
    "States.Permissions",
    "States.BranchFailed",
    "States.NoChoiceMatched",
    "States.ExceedToleratedFailureThreshold",
    "States.ItemReaderFailed",
    "States.ResultWriterFailed",
    "States.Http.Socket",
    "States.Runtime",
)
WILDCARDS = ("States.ALL", "States.TaskFailed", "States.Timeout")


def matrix() -> Iterator[Case]:
    """Every error against every wildcard, and against its own name, in a catcher and in a retrier."""
    for error in ERRORS:
        for name in dict.fromkeys((*WILDCARDS, error)):
            yield case(
                f"catch {name} of {error}",
                ("t", task(Catch=[catcher(name, Output="caught")])),
                ("caught", passing()),
                answers={"t": Fails(error)},
            )
        yield case(
            f"retry States.ALL of {error}",
            ("t", task(Retry=[retrier("States.ALL", MaxAttempts=1)])),
            answers={"t": (Fails(error), 1)},
        )


CASES = (*catches(), *order(), *failed_fields(), *ways(), *matrix())

"""Machines at the edges, where interpreters have differed: error names, sizes, time, what is refused."""

from __future__ import annotations

from collections.abc import Iterator

from tests.engine.building import block
from tests.parity.cases import RESOURCE, Case, Fails, case, passing, task
from tests.parity.machines.maps import mapping
from tests.parity.machines.parallels import FAILING, parallel
from tests.parity.machines.tasks import CAUGHT, catcher, retrier


def expressions() -> Iterator[Case]:
    """What an expression may not read, and what is none."""
    yield case("the result in a task's arguments", ("t", task("{% $states.result %}")))
    yield case("the error output in a task's output", ("t", task(Output="{% $states.errorOutput %}")))
    yield case(
        "the result in a catcher", ("t", task(Catch=[catcher("E", Output="{% $states.result %}")])), CAUGHT
    )
    yield case("text half an expression", ("a", passing("{% 1")))
    yield case("text that ends like an expression", ("a", passing("1 %}")))


def errors() -> Iterator[Case]:
    """Names of errors."""
    for error in ("States.DataLimitExceeded", "States.HeartbeatTimeout", "States.QueryEvaluationError"):
        for name in ("States.ALL", "States.TaskFailed", "States.Timeout", error):
            yield case(
                f"catch {name} of a task's {error}",
                ("t", task(Catch=[catcher(name, Output="caught")])),
                ("caught", passing()),
                answers={"t": Fails(error)},
            )
    for name in ("States.TaskFailed", "States.ALL"):
        yield case(
            f"catch {name} of a failed output",
            ("t", task(Output="{% $no %}", Catch=[catcher(name, Output="caught")])),
            ("caught", passing()),
        )
        yield case(
            f"catch {name} of failed arguments",
            ("t", task("{% $no %}", Catch=[catcher(name, Output="caught")])),
            ("caught", passing()),
        )
        yield case(
            f"retry {name} of a failed output",
            ("t", task(Output="{% $states.result.v %}", Retry=[retrier(name)])),
            answers={"t": ({}, {"v": 1})},
        )


def failures() -> Iterator[Case]:
    """Fail states with values of all kinds."""
    yield case("fail without an error", ("f", {"Type": "Fail"}))
    yield case("fail with a cause only", ("f", {"Type": "Fail", "Cause": "why"}))
    for name, text in {"a number": "1", "null": "null", "an object": "{}", "true": "true"}.items():
        yield case(f"fail whose error is {name}", ("f", {"Type": "Fail", "Error": f"{{% {text} %}}"}))
        yield case(
            f"fail whose cause is {name}", ("f", {"Type": "Fail", "Error": "E", "Cause": f"{{% {text} %}}"})
        )
    yield case(
        "fail without an error in a branch, caught",
        (
            "p",
            parallel(
                block(("f", {"Type": "Fail"})),
                Catch=[catcher("States.ALL", Output="{% $states.errorOutput %}")],
            ),
        ),
        CAUGHT,
    )
    yield case(
        "fail with an error of States in a branch, caught by its name",
        (
            "p",
            parallel(
                block(("f", {"Type": "Fail", "Error": "States.Timeout"})),
                Catch=[catcher("States.Timeout", Output=1)],
            ),
        ),
        CAUGHT,
    )
    yield case(
        "fail with States.Runtime in a branch",
        (
            "p",
            parallel(
                block(("f", {"Type": "Fail", "Error": "States.Runtime"})),
                Catch=[catcher("States.ALL", Output=1)],
            ),
        ),
        CAUGHT,
    )


LARGE = "{% $pad('', 300000) %}"


def sizes() -> Iterator[Case]:
    """More than there may be."""
    yield case("an output that is too large", ("a", passing(LARGE)), ("b", passing(1)))
    yield case("a variable that is too large", ("a", passing(1, Assign={"x": LARGE})))
    yield case("arguments that are too large", ("t", task(LARGE, Output=1)))
    yield case("a result that is too large", ("t", task(Output=1)), answers={"t": "x" * 300_000})
    yield case(
        "a result that is too large, caught by States.ALL",
        ("t", task(Output=1, Catch=[catcher("States.ALL", Output=2)])),
        CAUGHT,
        answers={"t": "x" * 300_000},
    )
    yield case(
        "results of branches that are too large",
        ("p", parallel(*(block((name, passing("{% $pad('', 200000) %}"))) for name in "xy"), Output=1)),
    )
    yield case("an input that is too large", ("a", passing(1)), inputs=("x" * 300_000,))
    yield case(
        "numbers and text in the definition stay",
        ("a", passing([1e3, 12345678901234567890, 0.1, -0.0, "\u2028\u0001"])),
    )


def definitions() -> Iterator[Case]:
    """What is refused before anything runs."""
    line = ("b", passing())
    yield case("a state that nothing leads to", ("a", {"Type": "Succeed"}), ("b", {"Type": "Succeed"}))
    yield case(
        "states that only lead to each other",
        ("a", {"Type": "Succeed"}),
        ("b", passing(Next="c")),
        ("c", passing(Next="b")),
    )
    yield case("a machine that never ends", ("a", {"Type": "Wait", "Seconds": 100, "Next": "a"}))
    yield case("a next state that does not exist", ("a", passing(Next="no")), line)
    yield case("a catcher's state that does not exist", ("t", task(Catch=[catcher("E", to="no")])))
    yield case("a next state in another scope", ("p", parallel(block(("x", passing(Next="b"))))), line)
    yield case("two states of one name", ("p", parallel(block(("x", passing())), block(("x", passing())))))
    yield case("the name of a state inside and outside", ("p", parallel(block(("p", passing())))))
    yield Case(
        "a start that does not exist",
        {"QueryLanguage": "JSONata", "StartAt": "no", "States": {"a": passing(End=True)}},
    )
    yield case("a Fail with an assign", ("f", {"Type": "Fail", "Assign": {"x": 1}}))
    yield case(
        "a Choice with an end",
        ("c", {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "b"}], "End": True}),
        line,
    )
    yield case("a Pass with a result", ("a", passing(Result=1)))
    yield case("a Pass with parameters", ("a", passing(Parameters={"x.$": "$.y"})))
    yield case(
        "a Wait with seconds and a timestamp",
        ("w", {"Type": "Wait", "Seconds": 1, "Timestamp": "2026-01-01T00:00:00Z"}),
    )
    yield case("a state of an unknown type", ("a", {"Type": "Nothing"}))
    yield case("an unknown field", ("a", passing(Nothing=1)))
    yield case("a state in JSONPath", ("a", passing(QueryLanguage="JSONPath")))
    yield case("States.ALL beside another name", ("t", task(Catch=[catcher("States.ALL", "E")])), CAUGHT)
    yield case("States.ALL before another retrier", ("t", task(Retry=[retrier("States.ALL"), retrier("E")])))
    yield case("a Task without a resource", ("t", {"Type": "Task"}))
    yield case(
        "a Task without arguments",
        ("t", {"Type": "Task", "Resource": RESOURCE}),
        inputs=({"FunctionName": "f", "Payload": 7},),
    )
    yield case("a variable named states", ("a", passing(Assign={"states": 1})))
    yield case("a variable that is no name", ("a", passing(Assign={"a b": 1})))
    yield case("a variable of 81 characters", ("a", passing(Assign={"v" * 81: 1})))
    yield case("a Retry with a fraction of attempts", ("t", task(Retry=[retrier("E", MaxAttempts=1.5)])))
    yield case("a BackoffRate below 1", ("t", task(Retry=[retrier("E", BackoffRate=0.5)])))
    yield case("a Wait of -1 seconds", ("w", {"Type": "Wait", "Seconds": -1}))
    yield case("a Wait until no time", ("w", {"Type": "Wait", "Timestamp": "tomorrow"}))


def others() -> Iterator[Case]:
    """Time, and what runs beside something else."""
    yield case(
        "a machine that takes too long", ("w", {"Type": "Wait", "Seconds": 10, "Output": 1}), TimeoutSeconds=5
    )
    yield case(
        "a machine that ends in time", ("w", {"Type": "Wait", "Seconds": 4, "Output": 1}), TimeoutSeconds=5
    )
    yield case("a timeout that is computed wrong", ("t", task(TimeoutSeconds="{% 'x' %}")))
    yield case(
        "a concurrency that is computed wrong",
        ("m", mapping(("i", passing()), MaxConcurrency="{% 'x' %}")),
        inputs=([1],),
    )
    slow = block(("w", {"Type": "Wait", "Seconds": 10}), ("t", task()))
    yield case("a branch fails while another waits", ("p", parallel(slow, FAILING)))


CASES = (*expressions(), *errors(), *failures(), *sizes(), *definitions(), *others())

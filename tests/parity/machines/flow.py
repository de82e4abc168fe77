"""Machines for Pass, Choice, Wait, Succeed and Fail, and for the way from state to state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.parity.cases import Case, case, passing, task

VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "a fraction": -2.5,
    "an exponent": 1e-7,
    "a big number": 2**53 - 1,
    "empty text": "",
    "text": "ü😀\u2028\"'\\",
    "an empty array": [],
    "an empty object": {},
    "nested data": {"a b": [[], [{}], None]},
}
"""Data that travels through states."""


def condition(text: str, then: str = "yes", **fields: Any) -> dict[str, Any]:
    """A rule of a Choice."""
    return {"Condition": text, "Next": then, **fields}


def choice(*rules: dict[str, Any], default: str | None = "no", **fields: Any) -> dict[str, Any]:
    """A Choice state."""
    return {"Type": "Choice", "Choices": list(rules), **fields, **({"Default": default} if default else {})}


ENDS = (("yes", passing(["yes", "{% $states.input %}"], End=True)), ("no", passing("no", End=True)))


def passes() -> Iterator[Case]:
    """Pass and Succeed states."""
    for name, value in VALUES.items():
        yield case(f"pass hands on {name}", ("a", passing()), ("b", passing()), inputs=(value,))
        yield case(f"pass outputs {name}", ("a", {"Type": "Pass", "Output": value, "End": True}))
        yield case(f"succeed outputs {name}", ("a", {"Type": "Succeed", "Output": value}))
    yield case(
        "pass evaluates in objects and arrays",
        ("a", passing({"x": ["{% $states.input.n %}", {"y": "{% 1 + 1 %}"}], "z": 3})),
        inputs=({"n": 1}, {"n": [1, 2]}, {"n": None}),
    )
    yield case(
        "pass leaves text that is no expression",
        ("a", passing(["$states.input", "{ % 1 % }", "{{% 1 %}}", "%}", "${x}"])),
    )
    yield case(
        "succeed ends before states that follow elsewhere",
        ("c", choice(condition("{% $states.input %}", "a"), default="b")),
        ("a", {"Type": "Succeed"}),
        ("b", passing(1)),
        inputs=(True, False),
    )
    yield case(
        "succeed evaluates",
        ("a", {"Type": "Succeed", "Output": "{% $states.input * 2 %}"}),
        inputs=(2, 0.5, "x"),
    )
    yield case(
        "a comment changes nothing",
        ("a", passing(1, Comment="{% not read %}")),
        Comment="{% not read %}",
        Version="1.0",
    )
    yield case(
        "spaces in an expression",
        ("a", passing("{%1+1%}")),
        ("b", passing(["{%   $states.input   %}", "{%\n1\t%}"])),
    )
    yield case(
        "names of states may be anything",
        ("a b/ü😀.{}", passing(1)),
        ("$states", passing("{% $states.context.State.Name %}")),
    )


def choices() -> Iterator[Case]:
    """Choice states."""
    yield case(
        "choice takes the first rule that holds",
        (
            "c",
            choice(
                condition("{% $states.input > 5 %}"),
                condition("{% $states.input > 1 %}", "no"),
                default="yes",
            ),
        ),
        *ENDS,
        inputs=(7, 3, 0),
    )
    yield case(
        "choice without default and match fails",
        ("c", choice(condition("{% $states.input %}"), default=None)),
        ENDS[0],
        inputs=(True, False),
    )
    yield case("choice with a constant condition", ("c", choice(condition("{% true %}"))), *ENDS)
    for name, expression in {
        "a number": "1",
        "text": "'true'",
        "null": "null",
        "an array": "[true]",
        "an object": "{}",
    }.items():
        yield case(f"a condition that is {name}", ("c", choice(condition(f"{{% {expression} %}}"))), *ENDS)
    yield case("a condition that is undefined", ("c", choice(condition("{% $states.input.no %}"))), *ENDS)
    yield case(
        "a condition after one that holds is not read",
        ("c", choice(condition("{% true %}"), condition("{% $no %}", "no"))),
        *ENDS,
    )
    yield case(
        "a condition that fails before one that holds",
        ("c", choice(condition("{% $no %}"), condition("{% true %}", "no"))),
        *ENDS,
    )


def rules() -> Iterator[Case]:
    """Output and Assign of rules."""
    yield case(
        "a rule has its own output",
        ("c", choice(condition("{% $states.input = 1 %}", Output="{% $states.input + 1 %}"), Output="other")),
        ("yes", passing()),
        ("no", passing(["{% $states.input %}"], End=True)),
        inputs=(1, 2),
    )
    yield case(
        "a rule without output hands the input on",
        ("c", choice(condition("{% $states.input = 1 %}"), Output="other")),
        ("yes", passing(End=True)),
        ("no", passing(End=True)),
        inputs=(1, 2),
    )
    shown = passing("{% {'r': $exists($r) ? $r, 's': $exists($s) ? $s} %}", End=True)
    yield case(
        "a rule assigns instead of the state",
        (
            "c",
            choice(
                condition("{% $states.input = 1 %}", Assign={"r": "rule"}),
                Assign={"s": "{% $states.input %}"},
            ),
        ),
        ("yes", shown),
        ("no", shown),
        inputs=(1, 2),
    )


def conditions() -> Iterator[Case]:
    """What conditions read, and where choices lead."""
    yield case(
        "a choice reads variables",
        ("a", passing(Assign={"x": "{% $states.input %}"})),
        ("c", choice(condition("{% $x in [1, 2] %}"))),
        *ENDS,
        inputs=(2, 3),
    )
    yield case(
        "choices lead into a loop",
        ("a", passing(Assign={"n": 0})),
        ("c", choice(condition("{% $n < 5 %}", "more"), default="no")),
        ("more", passing(Assign={"n": "{% $n + 1 %}"}, Next="c")),
        ("no", passing("{% $n %}")),
    )
    operators = {
        "and": "$states.input > 1 and $states.input < 9",
        "or": "$states.input = 1 or $states.input = 7",
        "not": "$not($states.input = 1)",
        "in": "$states.input in [1, 7]",
        "exists": "$exists($states.input.x)",
        "type": "$type($states.input) = 'number'",
        "match": "$contains($string($states.input), /7/)",
    }
    for name, expression in operators.items():
        yield case(
            f"a condition with {name}",
            ("c", choice(condition(f"{{% {expression} %}}"))),
            *ENDS,
            inputs=(1, 7, {"x": 0}),
        )
    yield case(
        "a choice leads back to itself through a task",
        ("c", choice(condition("{% $exists($states.input.done) %}", "no"), default="t")),
        ("t", task(Next="c")),
        ENDS[1],
        answers={"t": (1, 2, {"done": True})},
    )
    yield case(
        "several choices in a row",
        ("c", choice(condition("{% $states.input > 0 %}", "d"), default="no")),
        ("d", choice(condition("{% $states.input > 1 %}"))),
        *ENDS,
        inputs=(0, 1, 2),
    )


def waits() -> Iterator[Case]:
    """Wait states."""
    for name, value in {"a number": 3, "zero": 0, "an expression": "{% $states.input.s * 2 %}"}.items():
        yield case(
            f"wait seconds: {name}", ("w", {"Type": "Wait", "Seconds": value}), inputs=({"s": 3}, {"s": 0})
        )
    for name, value in {
        "text": "'3'",
        "negative": "-1",
        "a fraction": "1.5",
        "a whole fraction": "2.0",
        "null": "null",
        "true": "true",
        "an array": "[1]",
    }.items():
        yield case(f"wait seconds: {name}", ("w", {"Type": "Wait", "Seconds": f"{{% {value} %}}"}))
    yield case("wait seconds: undefined", ("w", {"Type": "Wait", "Seconds": "{% $states.input.no %}"}))
    good = (
        "2026-01-01T00:00:09Z",
        "2020-01-01T00:00:00Z",
        "2026-01-01T00:00:01.5+02:00",
        "2026-01-01T00:00Z",
        "2026-01-01t00:00:00z",
        "2026-01-01T00:00:01.123456789Z",
    )
    bad = (
        "2026-01-01",
        "2026-01-01T00:00:00",
        "20260101T000000Z",
        "2026-01-01 00:00:00Z",
        "tomorrow",
        "",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+0200",
        "2026-W01-1T00:00:00Z",
    )
    for text in good + bad:
        yield case(
            f"wait until {text or 'nothing'}",
            ("w", {"Type": "Wait", "Timestamp": "{% $states.input %}"}),
            inputs=(text,),
        )
    for name, value in {"a number": "1767225600", "null": "null", "undefined": "$states.input.no"}.items():
        yield case(f"wait until {name}", ("w", {"Type": "Wait", "Timestamp": f"{{% {value} %}}"}))
    yield case(
        "wait has output and assign",
        ("w", {"Type": "Wait", "Seconds": 1, "Assign": {"x": "{% $states.input %}"}, "Output": 2}),
        ("b", passing("{% [$x, $states.input] %}")),
        inputs=(1,),
    )


def fails() -> Iterator[Case]:
    """Fail states."""
    for name, fields in {
        "error and cause": {"Error": "E", "Cause": "why"},
        "an error only": {"Error": "E"},
        "a name with a dot": {"Error": "A.B-C_1 ü"},
    }.items():
        yield case(f"fail with {name}", ("f", {"Type": "Fail", **fields}))
    yield case(
        "fail with expressions",
        (
            "f",
            {
                "Type": "Fail",
                "Error": "{% $states.input.e %}",
                "Cause": "{% 'it is ' & $string($states.input) %}",
            },
        ),
        inputs=({"e": "X"}, {"e": "Y", "n": 1}),
    )
    yield case(
        "fail with variables",
        ("a", passing(Assign={"e": "Z"})),
        ("f", {"Type": "Fail", "Error": "{% $e %}", "Cause": "{% $states.context.State.Name %}"}),
    )
    yield case("fail whose error is undefined", ("f", {"Type": "Fail", "Error": "{% $states.input.no %}"}))
    yield case("fail whose cause is undefined", ("f", {"Type": "Fail", "Error": "E", "Cause": "{% $no %}"}))
    for name in ("States.TaskFailed", "States.Timeout", "States.Mine"):
        yield case(f"fail with {name}", ("f", {"Type": "Fail", "Error": name, "Cause": "c"}))


CASES = (*passes(), *choices(), *rules(), *conditions(), *waits(), *fails())

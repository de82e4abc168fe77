"""The adapter: what it adds to the library."""

import sys
import uuid
from random import Random
from typing import Any

import pytest

from stepweave.engine.jsonata import (
    UNDEFINED,
    EvaluationError,
    Expression,
    ExpressionError,
    compile_expression,
)
from stepweave.engine.jsonata_program import Program


class Fake:
    """Values by name."""

    def __init__(
        self, variables: dict[str, Any], states: dict[str, Any] | None = None, inexact: bool = False
    ) -> None:
        self.variables = variables
        self.fields = states or {}
        self.inexact = inexact
        self.generator = Random(1)
        self.read: list[str] = []

    def variable(self, name: str) -> Any:
        self.read.append(name)
        return self.variables.get(name, UNDEFINED)

    def states(self, field: str) -> Any:
        self.read.append(f"states.{field}")
        return self.fields.get(field, UNDEFINED)

    def now(self) -> float:
        return 0.0


def value(source: str, states: dict[str, Any] | None = None, **variables: Any) -> Any:
    return Expression(source).evaluate(Fake(variables, states))


@pytest.mark.parametrize(
    "source",
    [
        "$v.a",
        "$v.a.b",
        "$v.list",
        "$v.list.c",
        "$v.`odd key`",
        "$v.nil",
        "$v.empty",
        "$v.one",
        "$v.deep.deep",
        "$v.text",
        "$v",
    ],
)
def test_a_plain_path_gives_the_same_walked_in_python_as_by_the_library(source: str) -> None:
    document = {
        "a": {"b": 1},
        "list": [{"c": 1}, {"c": 2}],
        "odd key": "odd",
        "nil": None,
        "empty": [],
        "one": [1],
        "deep": [{"deep": [[1]]}],
        "text": "x",
    }
    walked = Expression(source).evaluate(Fake({"v": document}))
    assert walked == Expression(source).evaluate(Fake({"v": document}, inexact=True))


@pytest.mark.parametrize(
    "source", ["$v.a.b.c", "$v.missing", "$missing", "$v.nil.x", "$v.text.x", "$states.result.x", "$v.list.x"]
)
def test_a_plain_path_to_nothing_is_undefined(source: str) -> None:
    for inexact in (False, True):
        fake = Fake({"v": {"a": {"b": 1}, "nil": None, "text": "x", "list": [{"c": 1}]}}, {}, inexact)
        with pytest.raises(EvaluationError, match="returned nothing"):
            Expression(source).evaluate(fake)


@pytest.mark.parametrize(
    "source,expected",
    [
        ("$v.x = null", True),
        ("$exists($v.x)", True),
        ("$exists($v.y)", False),
        ("$v.x", None),
        ("[$v.y]", []),
        ("[$v.x]", [None]),
    ],
)
def test_undefined_and_null_stay_apart(source: str, expected: Any) -> None:
    assert value(source, v={"x": None}) == expected


def test_only_what_an_expression_reads_is_asked_for() -> None:
    fake = Fake({"a": 1, "b": 2, "unused": 3}, {"input": 1, "context": {}, "result": {}})
    assert Expression("$a + $b + $states.input + $count(['$unused'])").evaluate(fake) == 5
    assert set(fake.read) == {"a", "b", "states.input", "count"}


def test_the_whole_of_states_can_be_read() -> None:
    assert value("$keys($states)", {"input": 1, "result": 2}) == ["input", "result"]
    assert value("$states", {"input": 1}) == {"input": 1}
    assert value("$states.*", {"input": 1}) == 1


def test_the_engines_own_names_cannot_be_reached_as_fields() -> None:
    with pytest.raises(EvaluationError, match="returned nothing"):
        value("[v, states.input][0] ~> function($x){$v.none}", {"input": 1}, v={})


def test_numbers_are_written_as_jsonata_writes_them_where_that_differs() -> None:
    fake = Fake({"v": {"x": 1.0}}, inexact=True)
    assert repr(Expression("$v.x").evaluate(fake)) == "1"


def test_added_functions_are_there() -> None:
    assert value("$partition([1,2,3,4], 3)") == [[1, 2, 3], [4]]
    assert value("$range(0, 10, 5)") == [0, 5, 10]
    assert value("$hash('x', 'MD5')") == "9dd4e461268c8034f5c8564e155c67a6"
    assert value("""$parse('{"a": [1]}').a""") == [1]
    assert value("$random(3) = $random(3)") is True
    assert uuid.UUID(value("$uuid()")).version == 4


def test_added_functions_make_sequences() -> None:
    """As measured on Step Functions by the authors of sfnx (docs/parity.md)."""
    assert value("$range(2.9, 2, 1)") == 2
    assert value("$exists($range(3, 1, 1)) or $exists($range(1, 2, 0))") is False
    assert value("$exists($partition([], 2)) or $exists($partition([1], 0))") is False
    assert value("$partition([1, 2], 1.5)") == [[1], [2]]


@pytest.mark.parametrize(
    "source",
    [
        "$partition([1], -1)",
        "$random('x')",
        "$parse('NaN')",
        "$hash('x', 'CRC')",
        "$parse('{')",
        "$parse('1', 2)",
        "$range(1, 'x', 1)",
    ],
)
def test_added_functions_refuse_what_makes_no_sense(source: str) -> None:
    with pytest.raises(EvaluationError):
        value(source)


def test_the_clock_is_the_engines() -> None:
    assert value("$now()") == "1970-01-01T00:00:00.000Z"
    assert value("$millis()") == 0


@pytest.mark.parametrize(
    "source,reason",
    [
        ("1 +", "position"),
        ("", "position"),
        ("$eval('1')", r"no \$eval"),
        ("$x ?: 1", "newer than JSONata 2.0.6"),
        ("$x ?? 1", "newer than JSONata 2.0.6"),
        ("'\ud800'", "surrogates"),
    ],
)
def test_what_step_functions_would_refuse_is_refused(source: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        Expression(source)


@pytest.mark.parametrize(
    "source",
    ["$match('ab', /(?:a)b/).match", "'a ?: b ?? $eval()'", "/* ?: */ 'x'", "function($x)<s?:s>{$x}('y')"],
)
def test_what_only_looks_like_a_newer_operator_is_not_refused(source: str) -> None:
    assert isinstance(value(source), str)


def test_an_endless_expression_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[Program.__module__], "MAX_STEPS", 10_000)
    with pytest.raises(EvaluationError, match="steps"):
        value("($f := function(){$f()}; $f())")


def test_compiled_expressions_are_shared() -> None:
    assert compile_expression("$shared + 1") is compile_expression("$shared + 1")

"""The adapter: what it adds to the library."""

import sys
from typing import Any

import pytest

from stepweave.engine.jsonata import (
    EvaluationError,
    Expression,
    ExpressionError,
    compile_expression,
)
from stepweave.engine.jsonata_program import Program
from tests.engine.expressions import Given, value


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
    walked = Expression(source).evaluate(Given({"v": document}))
    assert walked == Expression(source).evaluate(Given({"v": document}, inexact=True))


@pytest.mark.parametrize(
    "source", ["$v.a.b.c", "$v.missing", "$missing", "$v.nil.x", "$v.text.x", "$states.result.x", "$v.list.x"]
)
def test_a_plain_path_to_nothing_is_undefined(source: str) -> None:
    for inexact in (False, True):
        fake = Given({"v": {"a": {"b": 1}, "nil": None, "text": "x", "list": [{"c": 1}]}}, {}, inexact)
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
    fake = Given({"a": 1, "b": 2, "unused": 3}, {"input": 1, "context": {}, "result": {}})
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
    fake = Given({"v": {"x": 1.0}}, inexact=True)
    assert repr(Expression("$v.x").evaluate(fake)) == "1"


def test_the_clock_is_the_engines() -> None:
    assert value("[$now(), $millis()]") == ["2026-09-15T13:36:42.245Z", 1789479402245]


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
    with pytest.raises(EvaluationError, match=r"^U1006: .* steps"):
        value("($f := function(){$f()}; $f())")


@pytest.mark.parametrize(
    "source",
    [
        "($f := function($n) { $n = 0 ? 0 : 1 + $f($n - 1) }; $f(1000000))",
        "$reduce([1..40], function($a, $b) { $a & $a }, 'x')",
        "$reduce([1..40], function($a, $b) { $append($a, $a) }, [1])",
        "[1..10000001]",
        "$range(1, 10000001, 1)",
        "$pad('x', 100000000)",
        "$string($deep)",
        "$parse($brackets)",
        "'(' & " + "(" * 2000 + "1" + ")" * 2000,
    ],
)
def test_what_takes_too_much_memory_or_depth_fails(source: str) -> None:
    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    with pytest.raises((EvaluationError, ExpressionError)):
        value(source, deep=deep, brackets="[" * 100_000)


def test_text_in_regular_expressions_is_no_string() -> None:
    """The quotation mark in it opens none, so that the variables behind it are seen."""
    assert value("$replace($a, /'/, $b) & '\"' & $c", a="it's", b="'", c="!") == "it's\"!"
    assert value("4 / $a / 2 & '$x'", a=2) == "1$x"


def test_evaluation_in_python_gets_what_the_context_and_partial_calls_give() -> None:
    assert value("$x.$string()", x=[1, 2]) == ["1", "2"]
    assert value("($s := $substring(?, 1); $map($x, $s))", x=["ab", "cd"]) == ["b", "d"]
    assert value("$map($x, $string)", x=[2 / 3, 1]) == ["0.666666666666666", "1"]
    assert value("$x ~> $map($string) ~> $join('-')", x=[1, 2]) == "1-2"
    assert value("$x.($string() & '!')", x=[1, 2]) == ["1!", "2!"]
    assert value("$x[$string($) = '2']", x=[1, 2]) == 2
    assert value("($trim ~> $string)($x)", x=" a ") == "a"


def test_random_numbers_are_those_of_the_generator() -> None:
    source = "[$random(), $uuid(), $shuffle([1..20])]"
    values = Given({})
    first, second = Expression(source).evaluate(values), Expression(source).evaluate(values)
    assert first == value(source)
    assert first[2:] != second[2:]


def test_a_context_of_a_wrong_type_fails() -> None:
    with pytest.raises(EvaluationError, match="T0411"):
        value("$x.$substring(1)", x=[{"a": 1}])


def test_compiled_expressions_are_shared() -> None:
    assert compile_expression("$shared + 1") is compile_expression("$shared + 1")

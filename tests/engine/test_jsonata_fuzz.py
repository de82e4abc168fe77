"""Whatever is evaluated on whatever values gives JSON or one of the two errors."""

import json
import math
from typing import Any

import jlens
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stepweave.engine.jsonata import EvaluationError, Expression, ExpressionError
from stepweave.engine.jsonata_program import compile_program
from stepweave.validation.tokens import FUNCTIONS
from tests.engine.expressions import Given

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)

LEAVES = st.sampled_from(
    (
        *(
            "$a",
            "$b",
            "$states.input",
            "$missing",
            "1",
            "0",
            "2.5",
            "1e308",
            "'x'",
            "''",
            "null",
            "true",
            "[]",
            "{}",
        ),
        *("$", "'\N{GRINNING FACE}'", "/a+/", "/\\s/i", "a", "*", "**", "%"),
    )
)
BINARY = st.sampled_from(
    [
        " + ",
        " - ",
        " * ",
        " / ",
        " % ",
        " & ",
        " = ",
        " < ",
        " >= ",
        " in ",
        " and ",
        " or ",
        " ~> ",
        ".",
        "..",
        " := ",
    ]
)


def longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions made of expressions."""
    several = st.lists(inner, max_size=4).map(", ".join)
    return st.one_of(
        st.tuples(inner, BINARY, inner).map("".join),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), several).map(lambda call: f"${call[0]}({call[1]})"),
        st.sampled_from(sorted(FUNCTIONS)).map(lambda name: f"${name}"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]} ? {three[1]} : {three[2]})"),
        st.tuples(inner, inner).map(lambda pair: f"($v := {pair[0]}; {pair[1]})"),
        inner.map(lambda body: f"function($x, $y) {{ {body} }}"),
        inner.map(lambda body: f"(-{body})"),
        several.map(lambda items: f"[{items}]"),
        st.tuples(inner, inner).map(lambda pair: f"{{$string({pair[0]}): {pair[1]}}}"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}^({pair[1]})"),
        several.map(lambda items: f"$substring(?, {items or 1})"),
    )


EXPRESSIONS = st.recursive(LEAVES, longer, max_leaves=8)


def outcome(source: str, values: Given) -> tuple[bool, Any]:
    """Whether an expression gives a value, and the value, or the text of its error."""
    try:
        return True, Expression(source).evaluate(values)
    except (EvaluationError, ExpressionError) as error:
        return False, str(error)


def is_json(value: Any) -> bool:
    """Whether a value is made of nothing but JSON's types and finite numbers."""
    if isinstance(value, dict):
        return all(type(key) is str and is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_json, value))
    return value is None or type(value) in (bool, str, int) or (type(value) is float and math.isfinite(value))


@given(EXPRESSIONS, VALUES, VALUES, st.booleans())
@example("$string($a) & 1/0", 1, None, True)
@settings(max_examples=600, deadline=None)
def test_every_expression_gives_json_or_fails(source: str, a: Any, b: Any, inexact: bool) -> None:
    fine, result = outcome(source, Given({"a": a, "b": b}, {"input": [a, {"b": b}]}, inexact))
    assert is_json(result)
    assert not fine or json.loads(json.dumps(result)) == result


@given(st.text("$ab1.&/%?:=<>~(){}[]'\"|^@#,;*+- \\\nλ", max_size=30) | st.text(max_size=20))
@settings(max_examples=600, deadline=None)
def test_every_text_is_an_expression_or_is_refused(source: str) -> None:
    fine, result = outcome(source, Given({"a": 1, "b": [1]}))
    assert is_json(result)
    assert fine or result


NUMBERS = st.recursive(
    st.integers(-5, 5).map(str) | st.sampled_from(["$x", "2.5"]),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/%"), inner).map(
        lambda three: "({}{}{})".format(*three)
    ),
    max_leaves=6,
)


@given(NUMBERS, st.sampled_from(["", " < 3", " >= $x", " = 2"]))
@settings(max_examples=300, deadline=None)
def test_arithmetic_by_the_host_agrees_with_the_library_as_far_as_numbers_go(numbers: str, end: str) -> None:
    expected = by_the_library(f"($x := 3; {numbers}{end})")
    if by_the_library(f"($x := 3; {numbers})") is not None:
        program = compile_program(f"($x := 3; {numbers}{end})", (), special=True, arithmetic=True)
        assert program.run({}, None, Given({}).generator, 0) == expected


def by_the_library(source: str) -> Any:
    """The result of the library alone; None for an error, and for 0/0."""
    try:
        return jlens.Expression(source).evaluate()
    except jlens.JlensError:
        return None


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_text_of_values_is_json_that_reads_as_nearly_the_same_value(value: Any) -> None:
    text = Expression("$string({'v': $v})").evaluate(Given({"v": value}))
    assert close(json.loads(text, strict=False), {"v": value})


def close(got: Any, wanted: Any) -> bool:
    """Equality to 14 digits, which is what rounding down to 15 leaves."""
    if isinstance(wanted, dict):
        return wanted.keys() == got.keys() and all(close(got[key], item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(close, got, wanted))
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        return math.isclose(got, wanted, rel_tol=1e-14)
    return bool(got == wanted)

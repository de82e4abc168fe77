"""Operators on references mean in the state machine what they mean in Python."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import jsonata2py
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepweave import dag, task
from stepweave.authoring.expressions import LARGEST_EXPRESSION, constant, quoted
from stepweave.errors import DagError
from stepweave.graph.model import Expression, FromParam, FromTask, Graph


@task
def number() -> float: ...


@task
def text() -> str: ...


@task
def items() -> list[Any]: ...


@task
def table() -> dict[str, Any]: ...


@task
def anything() -> Any: ...


@task
def show(value: Any) -> None: ...


def traced(build: Callable[..., Any]) -> Graph:
    @dag
    def expressions(limit: float = 1.0):
        show(build(limit))

    graph: Graph = expressions.graph()
    return graph


def expression_of(build: Callable[..., Any]) -> Expression:
    binding = dict(traced(build)["show"].arguments)["value"]
    assert isinstance(binding, Expression)
    return binding


@functools.cache
def compiled_text(text: str) -> Any:
    return jsonata2py.compile(text)


def evaluated(expression: Expression, *values: Any) -> Any:
    compiled = compiled_text(expression.text)
    for index, value in enumerate(values):
        compiled.assign(f"_{index}_", value)
    return compiled.evaluate({})


ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


NUMBERS = [-7, -2, -1, 1, 3, 8, 2.5, -0.5]


@pytest.mark.parametrize("symbol", [*ARITHMETIC, *COMPARISONS])
def test_an_operator_on_numbers_means_what_python_means(symbol: Any) -> None:
    both = expression_of(lambda _: symbol(number(), number()))
    for left, right in product([0, *NUMBERS], NUMBERS):
        assert evaluated(both, left, right) == symbol(left, right), (left, right)


@pytest.mark.parametrize("symbol", [*ARITHMETIC, *COMPARISONS])
def test_an_operator_with_a_literal_on_the_left_means_what_python_means(symbol: Any) -> None:
    for left in [0, *NUMBERS]:
        reflected = expression_of(lambda _, left=left: symbol(left, number()))
        assert evaluated(reflected, 3) == symbol(left, 3), left


def test_power_negation_and_absolute_value() -> None:
    assert evaluated(expression_of(lambda _: number() ** 3), 2) == 8
    assert evaluated(expression_of(lambda _: 2 ** number()), 3) == 8
    assert evaluated(expression_of(lambda _: -number() + 1), 5) == -4
    assert evaluated(expression_of(lambda _: abs(number() - 7)), 5) == 2


def test_text_is_joined_and_compared() -> None:
    joined = expression_of(lambda _: text() + text())
    assert evaluated(joined, "a", "b") == "ab"
    assert evaluated(joined, "", "5") == "5"
    for symbol, left in product(COMPARISONS, ["", "a", "b", "B"]):
        compared = expression_of(lambda _, symbol=symbol: symbol(text(), "b"))
        assert evaluated(compared, left) == symbol(left, "b")


def test_lists_are_joined() -> None:
    assert evaluated(expression_of(lambda _: operator.add(items(), [3])), [1, 2]) == [1, 2, 3]
    assert evaluated(expression_of(lambda _: operator.add(["a"], items())), ["b"]) == ["a", "b"]


def test_conditions_are_combined_by_and_or_not_with_pythons_grouping() -> None:
    def build(limit: Any) -> Any:
        row = table()
        return ((row["a"] > limit) & (row["b"] == "x")) | ~(row["c"] < 3)

    expression = expression_of(build)

    assert expression.text == "(($_0_ > $_1_) and ($_2_ = 'x')) or ($not($_3_ < 3))"
    assert expression.operands[1] == FromParam(param="limit")
    assert evaluated(expression, 2, 1, "x", 1) is True
    assert evaluated(expression, 0, 1, "x", 1) is False
    assert evaluated(expression, 0, 1, "y", 4) is True


@pytest.mark.parametrize("value", [None, True, False, 0, -2.5, "a", "it's"])
def test_is_in_compares_with_every_literal(value: Any) -> None:
    expression = expression_of(lambda _: anything().is_in([None, False, -2.5, "it's"]))

    assert evaluated(expression, value) is (value in (None, -2.5, "it's") or value is False)


def test_is_in_a_reference_and_in_nothing() -> None:
    assert evaluated(expression_of(lambda _: text().is_in(items())), "a", ["a"]) is True
    assert evaluated(expression_of(lambda _: text().is_in([])), "a") is False


@pytest.mark.parametrize("source", [anything, table, items, text])
@pytest.mark.parametrize(
    "container, item",
    [
        ({"k": None}, "k"),
        ({"k": 1, "l": 2}, "x"),
        (["k"], "k"),
        ([], "k"),
        (["a", "b"], "b"),
        ("skip", "ki"),
        ("", "k"),
    ],
)
def test_contains_finds_keys_items_and_parts_of_text(source: Any, container: Any, item: str) -> None:
    kind = {table: dict, items: list, text: str}.get(source, type(container))
    if isinstance(container, kind):
        expression = expression_of(lambda _: source().contains(item))
        assert evaluated(expression, container) is (item in container)


def test_comparison_with_none_and_with_structures() -> None:
    assert evaluated(expression_of(lambda _: anything() == None), None) is True  # noqa: E711
    assert evaluated(expression_of(lambda _: anything() != None), 0) is True  # noqa: E711
    assert evaluated(expression_of(lambda _: anything() == {"a": [1, "x"]}), {"a": [1, "x"]}) is True


HOSTILE = [
    "'",
    '"',
    "\\",
    "%}",
    "{% $x %}",
    "${Name}",
    "$_0_",
    "\n\t\x00",
    "é😀",
    "' & $eval('1') & '",
    "Ref::x",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_text_stays_text(value: str) -> None:
    expression = expression_of(lambda _: text() + value)

    assert evaluated(expression, "a") == "a" + value
    assert not {"{%", "%}", "${"} & {expression.text[i : i + 2] for i in range(len(expression.text))}
    assert expression.text.count("$_0_") == 1


@given(st.text())
def test_a_quoted_text_reads_back_as_itself(value: str) -> None:
    literal = quoted(value)

    assert jsonata2py.compile(literal).evaluate({}) == value
    assert not set(literal[1:-1]) & set("'\"$%{}")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON.filter(lambda value: value is not None))
def test_a_constant_reads_back_as_itself(value: Any) -> None:
    assert jsonata2py.compile(constant(value).text).evaluate({}) == value


def test_an_operand_used_twice_is_one_operand_and_a_field_of_its_task() -> None:
    def build(_: Any) -> Any:
        row = table()
        return (row["a"]["b"] > 1) & (row["a"]["b"] < 5)

    graph = traced(build)

    binding = dict(graph["show"].arguments)["value"]
    assert binding == Expression(
        text="($_0_ > 1) and ($_0_ < 5)", operands=(FromTask(task="table", path=("a", "b")),)
    )
    assert graph["table"].fields == (("a", "b"),)
    assert graph["show"].upstream == ("table",)


def test_a_long_condition_says_that_it_is_too_long() -> None:
    with pytest.raises(DagError, match=f"longer than {LARGEST_EXPRESSION:,} characters") as raised:
        traced(lambda _: text() + "x" * LARGEST_EXPRESSION)

    assert [problem.code for problem in raised.value.problems] == ["expression-size"]

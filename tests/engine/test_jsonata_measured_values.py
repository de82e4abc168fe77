"""Results, numbers and the text of values as Step Functions has them, fact by fact.

Measured by the authors of sfnx 3.1.0 (https://github.com/iwamot/sfnx, docs/design.md, "JSONata in Step Functions";
TestState and executions, September 2026).
"""

from typing import Any

import pytest

from stepweave.engine.jsonata import ExpressionError
from tests.engine.expressions import facts, fails, gives, gives_nothing, sources, value

SMILE = "\N{GRINNING FACE}"


# What an expression is and gives


@sources(
    "function($v) { $v }",
    "$uppercase",
    "[function($v) { $v }]",
    "{'a': $uppercase}",
    "($f := /a/; {'a': [$f]})",
)
def test_a_function_in_a_result_fails(source: str) -> None:
    fails(source, "returned an unsupported result type")


@sources(
    "$map([1], function($v) { $v })",
    "($f := function($x) { $x }; $f(1))",
    "[1][$type($uppercase) = 'function']",
)
def test_a_function_that_is_only_used_is_no_result(source: str) -> None:
    gives(source, 1)


def test_a_variable_named_like_a_function_hides_it() -> None:
    for source in ("$count([1])", "$string(1)", "$floor(1 / 0)"):
        name = source[1 : source.index("(")]
        fails(source, "T1006", **{name: 5})
    gives("$count", 5, count=5)


@facts(
    [
        ("$exists($string())", False),
        ("$exists($substring(1, 2))", False),
        ("$x[$string() = '1']", 1),
        ("$x.$string()", ["1", "2"]),
        ("['ab', 'cd'].$substring(1)", ["b", "d"]),
    ]
)
def test_a_function_called_on_the_context_has_none_outside_of_items(source: str, expected: Any) -> None:
    gives(source, expected, x=[1, 2])


@facts(
    [
        ("$not([0])", True),
        ("[$boolean([0]), $boolean([[]]), $boolean([0, 1])]", [False, False, True]),
        ("[$m = 1, $m != 1, $m in [1], $m and true, $m or true]", [False, False, False, False, True]),
        ("[$exists($boolean($m)), $exists($not($m)), $exists($m < 1)]", [False, False, False]),
        ("[false and $error('no'), true or $error('no')]", [False, True]),
        ("true ? 1 : $error('no')", 1),
    ]
)
def test_truth_is_that_of_jsonata_and_what_is_not_needed_is_not_evaluated(source: str, expected: Any) -> None:
    gives(source, expected)


@sources("$x ?? 1", "$x ?: 1", r"'it\'s'", "1e400")
def test_newer_operators_and_malformed_literals_are_refused_before_running(source: str) -> None:
    with pytest.raises(ExpressionError):
        value(source)


def test_names_may_be_of_any_alphabet() -> None:
    gives("$größe + $数", 3, größe=1, 数=2)
    gives("$größe.länge", 1, größe={"länge": 1})


# Arithmetic


@facts(
    [
        ("1 / 0", "Infinity"),
        ("-1 / 0", "-Infinity"),
        ("0 / 0", "NaN"),
        ("$n / $zero", "Infinity"),
        ("$floor(1 / 0)", "Infinity"),
        ("[1 / 0, {'a': [0 / 0]}]", ["Infinity", {"a": ["NaN"]}]),
        ("1e308 * 10", "Infinity"),
        ("-1e308 * 10", "-Infinity"),
        ("1e308 + 1e308", "Infinity"),
        ("-1e308 - 1e308", "-Infinity"),
        ("1e308 / 0.001", "Infinity"),
    ]
)
def test_arithmetic_beyond_numbers_gives_the_names_of_what_is_no_number(source: str, expected: str) -> None:
    gives(source, expected, n=3, zero=0)


@facts([("1 / 0 > 5", True), ("0 / 0 > 5", True), ("-1 / 0 > 5", False), ("$type(1 / 0)", "number")])
def test_inside_the_expression_they_are_numbers_that_compare(source: str, expected: Any) -> None:
    gives(source, expected)


@sources("1 / 0 + 1", "0 / 0 + 1", "$a - $b * $floor($a / $b)", "-(1 / 0)")
def test_arithmetic_on_what_is_no_number_fails(source: str) -> None:
    fails(source, a=1, b=0)


def test_a_number_is_a_double() -> None:
    gives("$n + 0", 1e25, n=10000000000000000000000001)


@facts(
    [
        ("$round(2.5)", 2),
        ("$round(2.675, 2)", 2.68),
        ("$round(25, -1)", 20),
        ("$ceil(-1.5)", -1),
        ("$floor(-1.5)", -2),
        ("-7 - 3 * $floor(-7 / 3)", 2),
        ("$sum([])", 0),
        ("$max(3)", 3),
        ("$number('0x10')", 16),
    ]
)
def test_rounding_and_sums(source: str, expected: Any) -> None:
    gives(source, expected)


@sources("$max([])", "$min([])", "$average([])")
def test_the_greatest_the_least_and_the_mean_of_nothing_are_nothing(source: str) -> None:
    gives_nothing(source)


@sources("$sum(['a'])", "$max([1, 'a'])", "$sqrt(-1)", "$power(-8, 1/3)", "$number('1e400')", "$number('x')")
def test_numbers_that_cannot_be_made_fail(source: str) -> None:
    fails(source)


# Text of values


@facts(
    [
        ("1.0", "1"),
        ("1.5e16", "15000000000000000"),
        ("1e20", "100000000000000000000"),
        ("1.5e21", "1.5e+21"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("0.1", "0.1"),
        ("2/3", "0.666666666666666"),
        ("-2/3", "-0.666666666666667"),
        ("1234567890123456.7", "1.23456789012345e+15"),
        ("123456789012345.5", "123456789012345"),
        ("100.0000000000001", "1e+2"),
        ("0.0000015", "0.0000015"),
        ("0.00000015", "1.5e-7"),
    ]
)
def test_a_number_is_written_in_all_digits_or_rounded_down_to_fifteen(source: str, expected: str) -> None:
    gives(f"$string({source})", expected)
    gives(f"'n=' & {source}", f"n={expected}")
    gives(f"$string([{source}])", f"[{expected}]")


@facts(
    [
        ("'a'", "a"),
        ("true", "true"),
        ("null", "null"),
        ("[1.0, {'a': [0.1, null]}]", '[1,{"a":[0.1,null]}]'),
        ("[0.1 + 0.2]", "[0.3]"),
        ("function($v) { $v }", ""),
        ("[$uppercase, 1]", '["",1]'),
        ("['a', 'b'][1]", "b"),
        ("$text", '["\\t\\b\\f\\r\\n\\"\\\\","\x01\x7f\u2028/é' + SMILE + '"]'),
        ("$key", '{"k\\"\x01":1}'),
    ]
)
def test_any_value_is_written_as_json_with_few_escapes(source: str, expected: str) -> None:
    gives(
        f"$string({source})", expected, text=['\t\b\f\r\n"\\', "\x01\x7f\u2028/é" + SMILE], key={'k"\x01': 1}
    )


@facts(
    [
        ("$string({'a': [], 'b': {}}, true)", '{\n  "a": [],\n  "b": {}\n}'),
        (
            "$string({'c': [1, {'d': 0.5}]}, true)",
            '{\n  "c": [\n    1,\n    {\n      "d": 0.5\n    }\n  ]\n}',
        ),
        ("$string('a', true)", "a"),
    ]
)
def test_text_for_people_has_a_line_for_each_member(source: str, expected: str) -> None:
    gives(source, expected)


def test_the_text_of_nothing_is_nothing() -> None:
    gives_nothing("$string($m)")
    gives("'a' & $m & null & true & [1]", "anulltrue[1]")


@sources("$string(1, 1)", "$string(1, true, 2)", "$string(1, null)")
def test_text_is_made_of_one_value_and_a_truth_value(source: str) -> None:
    fails(source, "T0410")

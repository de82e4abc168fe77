"""The functions of JSONata as Step Functions evaluates them, fact by fact.

Measured by the authors of sfnx 3.1.0 (https://github.com/iwamot/sfnx, docs/design.md, "JSONata in Step Functions";
TestState and executions, September 2026).
"""

from typing import Any

from tests.engine.expressions import facts, fails, gives, gives_nothing, sources

SMILE = "\N{GRINNING FACE}"
HALF = "\N{REPLACEMENT CHARACTER}"


# Strings


@facts(
    [
        ("$substring('hello', -10, 2)", "he"),
        ("$substring('hello', 1, -1)", ""),
        ("$substring('hello', 1)", "ello"),
        ("$substring('hello', -2)", "lo"),
        ("$length($s)", 6),
        ("$substring($s, -1, 1)", HALF),
        ("$substring('a' & $smile & 'b', 1, 1)", HALF),
        ("$s[0]", "héllo" + SMILE),
    ]
)
def test_parts_of_strings(source: str, expected: Any) -> None:
    gives(source, expected, s="héllo" + SMILE, smile=SMILE)


def test_a_part_without_a_length_fails_in_text_beyond_the_basic_plane() -> None:
    fails("$substring($s, 1)", s="a" + SMILE + "b")


@facts(
    [
        ("$split('a.b*c', '.')", ["a", "b*c"]),
        ("$split('a.b*c', '*')", ["a.b", "c"]),
        ("$split('a,,b,', ',')", ["a", "", "b", ""]),
        ("$split('abc', '')", ["a", "b", "c"]),
        ("$split('a' & $smile, '')", ["a", HALF, HALF]),
        ("$split('a b', / /)", ["a", "b"]),
        ("($r := / /; $split('a b', $r))", ["a", "b"]),
        ("$split($trim('  a  b\\t\\nc '), ' ')", ["a", "b", "c"]),
        ("$split($trim('  '), ' ')", [""]),
    ]
)
def test_strings_are_split_at_a_text_into_utf16_units_or_at_a_pattern(source: str, expected: Any) -> None:
    gives(source, expected, smile=SMILE)


@facts(
    [
        ("$pad('a', 6.5, 'xyz')", "axyzxy"),
        ("$pad('a', -5, 'xy')", "xyxya"),
        ("$pad($smile, 3, '-')", SMILE + "--"),
        ("$pad('a', 3, $smile)", "a" + SMILE + SMILE),
        ("$join([])", ""),
        ("$join('a')", "a"),
        ("$lowercase('İẞΣßǆﬁ')", "İẞΣßǆﬁ".lower()),
        ("$uppercase('İẞΣßǆﬁ')", "İẞΣßǆﬁ".upper()),
        ("$replace('aa', 'a', '$0')", "$0$0"),
        ("$replace('aa', 'a', 'b', 0)", "aa"),
        ("$replace('aaa', 'a', 'b', 2.5)", "bba"),
        (r"$replace($blank, /^\s+|\s+$/, '')", "\u00a0a\u3000"),
        (r"$replace($blank, /[\s]+/, '')", "\u00a0a\u3000"),
    ]
)
def test_padding_joining_cases_and_replacements(source: str, expected: str) -> None:
    gives(source, expected, smile=SMILE, blank=" \t\u00a0a\u3000 ")


@sources("$join(['a', 1])", "$replace('aa', '', 'x')", "$replace('aa', 'a', 'b', -1)")
def test_joining_and_replacing_what_makes_no_sense_fails(source: str) -> None:
    fails(source)


@facts(
    [
        ("$base64encode('日本 a')", "5pel5pysIGE="),
        ("$base64decode('5pel5pysIGE=')", "日本 a"),
        ("$base64decode('YWJ')", "ab"),
        ("$decodeUrlComponent('a+b%2Bc%20d')", "a b+c d"),
        ("$decodeUrlComponent('%E6%97%A5')", "日"),
        ("$decodeUrlComponent('%E6')", HALF),
    ]
)
def test_encodings_are_utf8_padding_may_be_missing_and_plus_is_a_blank(source: str, expected: str) -> None:
    gives(source, expected)


@sources(
    "$base64decode('!!')",
    "$decodeUrlComponent('%zz')",
    "$base64decode(1)",
    "$decodeUrlComponent(1)",
    "$formatNumber('a', '0')",
)
def test_malformed_encodings_and_wrong_types_fail(source: str) -> None:
    fails(source)


@sources(
    "$base64decode($m)",
    "$decodeUrlComponent($m)",
    "$formatNumber($m, '0')",
    "$fromMillis($m)",
    "$fromMillis('a')",
)
def test_nothing_is_made_of_nothing(source: str) -> None:
    gives_nothing(source)


@facts(
    [
        ("$formatNumber(0.125, '0.00')", "0.12"),
        ("$formatNumber(2.675, '0.00')", "2.68"),
        ("$formatNumber(2.5, '0')", "2"),
        ("$formatNumber(3.5, '0')", "4"),
        ("$formatNumber(1234.5678, '#,##0.00')", "1,234.57"),
        ("$formatNumber(1234.5, '#,##0')", "1,234"),
        ("$formatNumber(-12, '00000;-0000')", "-0012"),
        ("$formatNumber(7, '00000;-0000')", "00007"),
        ("$formatNumber(-123456, '00000;-0000')", "-123456"),
        ("$formatNumber(-1.5, '00000;-0000')", "-0002"),
        ("$formatNumber(1e308, '0.00')", "1" + "0" * 308 + ".00"),
        ("$formatNumber(-1e23, '#,##0')", "-100,000,000,000,000,000,000,000"),
    ]
)
def test_numbers_are_formatted_by_the_decimal_that_is_written(source: str, expected: str) -> None:
    gives(source, expected)


# Time


@facts(
    [
        ("$now()", "2026-09-15T13:36:42.245Z"),
        ("$millis()", 1789479402245),
        ("$toMillis($now()) = $millis()", True),
        ("$now('[Y0001]-[M01]-[D01]')", "2026-09-15"),
        ("$now('[H01]:[m01]', 'utc')", "13:36"),
        ("$fromMillis($millis(), '[H01]:[m01]', '+0900')", "22:36"),
        ("$fromMillis($millis(), '[H01]:[m01]', 'utc')", "13:36"),
        (
            "$fromMillis($millis(), '[Y0001] [Y01] [M01] [D01] [H01] [m01] [s01] [d001] [[x]] 100%')",
            "2026 26 09 15 13 36 42 258 [x] 100%",
        ),
        ("$fromMillis(0, 'text')", "text"),
        ("$fromMillis(1.6)", "1970-01-01T00:00:00.001Z"),
        ("$fromMillis(-1.5)", "1969-12-31T23:59:59.999Z"),
        ("$toMillis('2026-09-15T13:43:06')", 1789479786000),
        ("$toMillis('2026-09-15T13:43:06.735123Z')", 1789479786735),
    ]
)
def test_times_are_utc_in_whole_milliseconds_and_the_same_throughout(source: str, expected: Any) -> None:
    gives(source, expected)


@sources("'2026-09-15 13:43:06'", "'20260915T134306Z'", "'2026-W38-2'", "null")
def test_other_forms_of_time_fail(source: str) -> None:
    fails(f"$toMillis({source})")


# Arrays and objects


@facts(
    [
        ("$x[1.5]", [5, 6]),
        ("($i := 1; $x[$i][0])", [5, 6]),
        ("($i := 1; ($x[$i])[0])", 5),
        ("$x[[0..0]]", 1),
        ("$count([$two])", 2),
        ("$count([[$two]])", 1),
        ("[3..1]", []),
        ("[1..1]", [1]),
        ("$map([1], function($v) { $v * 2 })", 2),
        ("[$map([1], function($v) { $v * 2 })]", [2]),
        ("$map([1], function($v) { $v * 2 })[]", [2]),
        ("[$filter([1], function($v) { false })]", []),
        ("$append([], $map([], function($v) { $v })[])", []),
        ("$append([], $map([1], function($v) { [$v] })[])", [[1]]),
        ("$filter([1, 2, 3], function($v, $i) { $i = 1 })", 2),
        ("$map($filter([[1, 2], 3], function($v) { $type($v) = 'array' }), function($v) { $v })", [1, 2]),
        ("$map([1, 2], function($v) { $v = 1 ? 'a' })", "a"),
        ("$reduce([], function($a, $b) { $a + $b }, 5)", 5),
        ("$distinct([1, 1, true, [1], [1], {'a': 1}, {'a': 1}])", [1, True, [1], {"a": 1}]),
        ("$zip([1, 2], [3])", [[1, 3]]),
        ("$reverse([1])", [1]),
        ("$sort([1])", [1]),
        ("$sort([3, 1, 2])", [1, 2, 3]),
        ("$sort(['ﬁ', $smile])", [SMILE, "ﬁ"]),
        ("'ﬁ' > $smile", True),
        ("$sort($pairs, function($a, $b) { $a.k > $b.k }).v", [2, 4, 1, 3]),
    ]
)
def test_arrays(source: str, expected: Any) -> None:
    pairs = [{"k": 1, "v": 1}, {"k": 0, "v": 2}, {"k": 1, "v": 3}, {"k": 0, "v": 4}]
    gives(source, expected, x=[1, [5, 6], 3], two=[1, 2], smile=SMILE, pairs=pairs)


@sources("$sort([true, false])", "$sort([[1], [2]])", "$sort([1, 'a'])", "[1] < [2]", "$merge([[1]])")
def test_arrays_that_have_no_order_fail(source: str) -> None:
    fails(source)


@facts(
    [
        ("$merge([{'a': 1, 'b': 2}, {'a': null}])", {"a": None, "b": 2}),
        ("$merge([{'a': 1}, $objects])", {"a": 3, "b": 2}),
        ("$merge([])", {}),
        ("$keys({'a': 1})", "a"),
        ("$each({'a': 1}, function($v) { [$v] })", [1]),
        ("$sift({'a': 1, 'b': 2}, function($v) { $v > 1 })", {"b": 2}),
        ("{'x' & 1: 2}", {"x1": 2}),
        ("$exists({'k': null}.k) ? {'k': null}.k : 1", None),
        ("($s := 'a'; $pad($s, -2, '0'))", "0a"),
    ]
)
def test_objects(source: str, expected: Any) -> None:
    gives(source, expected, objects=[{"b": 2}, {"a": 3}])


@sources(
    "$fromMillis('a')",
    "$keys({})",
    "$sift({'a': 1}, function($v) { false })",
    "$lookup({'a': 1}, 'b')",
    "$x[[5..4]]",
)
def test_nothing_is_left_of_nothing(source: str) -> None:
    gives_nothing(source, x=[1])

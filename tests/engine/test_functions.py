"""The functions that Step Functions adds to JSONata, fact by fact.

Measured by the authors of sfnx 3.1.0 (https://github.com/iwamot/sfnx, docs/design.md, "JSONata in Step Functions";
TestState and executions, September 2026), unless a test names tiny-asl-machine
(https://github.com/gabrielmoreira/tiny-asl-machine, tests/conformance), whose authors recorded executions on AWS.
"""

import uuid
from typing import Any

from tests.engine.expressions import facts, fails, gives, gives_nothing, sources, value


@facts(
    [
        ("$parse('null')", None),
        ("[$parse('null')]", [None]),
        ("$parse('[]')", []),
        ("$parse('[[1]]')", [[1]]),
        ("$parse(' {\"a\":1} ')", {"a": 1}),
        ("$parse(\"{'a': 'it\\\\'s \\\"1\\\"'}\")", {"a": 'it\'s "1"'}),
        ("$map(['1', 'true'], $parse)", [1, True]),
        ("('{\"a\": [1, 2]}' ~> $parse()).a", [1, 2]),
    ]
)
def test_parse_reads_json_and_strings_in_single_quotes(source: str, expected: Any) -> None:
    gives(source, expected)


@sources("'NaN'", "'Infinity'", "'1e400'", '\'{"a":1,"a":2}\'', "'{bad}'", "''", "1", "null", "{}", "'1', 1")
def test_parse_fails_on_anything_else(source: str) -> None:
    """Partly recorded by tiny-asl-machine (Feature.JSONataBuiltins 033 to 039)."""
    fails(f"$parse({source})")


@facts(
    [
        ("$hash('hello', 'SHA-256')", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
        ("$hash('✓', 'SHA-256')", "1dabba21cdad44541f6b15796f8d22978fc7ea10c46aeceeeeb66c23b3ac7604"),
        ("$hash('x', 'MD5')", "9dd4e461268c8034f5c8564e155c67a6"),
        ("$length($hash('x', 'SHA-1'))", 40),
        ("$length($hash('x', 'SHA-384'))", 96),
        ("$length($hash('x', 'SHA-512'))", 128),
        ("$hash($long, 'SHA-256')", "0cab99a058600ffaad1292d0c53c0548ebaf88dd1d01030345705f018a813909"),
    ]
)
def test_hash_is_of_the_utf8_text_of_any_length(source: str, expected: Any) -> None:
    """Partly recorded by tiny-asl-machine (Feature.JSONataBuiltins 003, 024 to 026)."""
    gives(source, expected, long="a" * 10_001)


@sources(
    "'x', $m", "'x', 'sha-256'", "'x', 'SHA256'", "1, 'MD5'", "null, 'MD5'", "'x', 1", "", "'x', 'MD5', 1"
)
def test_hash_fails_on_other_arguments(source: str) -> None:
    fails(f"$hash({source})")


@facts(
    [
        ("$partition([1, 2, 3, 4, 5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([1, 2, 3, 4, 5], 2.6)", [[1, 2], [3, 4], [5]]),
        ("$partition([1, 2], 1.5)", [[1], [2]]),
        ("$partition([1], 1)", [[1]]),
        ("$partition([1, 2])", [[1, 2]]),
        ("$partition([1, 2], $m)", [[1, 2]]),
        ("$partition([], $m)", [[]]),
    ]
)
def test_partition_makes_batches_or_one_without_a_size(source: str, expected: Any) -> None:
    """Partly recorded by tiny-asl-machine (Feature.JSONataBuiltins 001, 008, 014)."""
    gives(source, expected)


@sources("[1], -1", "1, 1", "'ab', 1", "[1], null", "[1], '2'", "[1], 2, 99")
def test_partition_fails_on_other_arguments(source: str) -> None:
    """Partly recorded by tiny-asl-machine (Feature.JSONataBuiltins 010 to 013, 015)."""
    fails(f"$partition({source})")


@facts(
    [
        ("$range(0, 10, 2)", [0, 2, 4, 6, 8, 10]),
        ("$range(-1.5, 2.5, 1)", [-1, 0, 1, 2]),
        ("$range(1.4, 5.6, 2.2)", [1, 3, 5]),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ("$range(1, 9, 9)", 1),
        ("[$range(1, 9, 9)]", [1]),
        ("$count($range(1, 1001, 1))", 1001),
    ]
)
def test_range_cuts_fractions_and_has_no_limit_of_a_thousand(source: str, expected: Any) -> None:
    """Partly recorded by tiny-asl-machine (Feature.JSONataBuiltins 002, 016, 019)."""
    gives(source, expected)


@sources("'a', 5, 1", "1, 5, null", "1, 5, 1, 99", "1, 5, true")
def test_range_fails_on_other_arguments(source: str) -> None:
    """Partly recorded by tiny-asl-machine (Feature.JSONataBuiltins 020, 021, 023)."""
    fails(f"$range({source})")


@sources(
    "$parse()",
    "$parse($m)",
    "$hash('x')",
    "$hash($m, 'MD5')",
    "$partition([], 1)",
    "$partition([1], 0)",
    "$partition([1], 0.5)",
    "$partition($m, 1)",
    "$range(1, 2)",
    "$range(1, $m, 1)",
    "$range(1, 2, 0)",
    "$range(1, 2, 0.49)",
    "$range(2, 1, 1)",
)
def test_added_functions_give_nothing_for_nothing(source: str) -> None:
    gives_nothing(source)


def test_random_is_below_one_and_the_same_for_a_seed() -> None:
    """Partly recorded by tiny-asl-machine (Feature.JSONataBuiltins 006, 007)."""
    assert 0 <= value("$random()") < 1
    first, again, other = value("[$random(77), $random(77), $random(78)]")
    assert first == again != other


def test_uuid_is_another_of_version_4_every_time() -> None:
    first, second = value("[$uuid(), $uuid()]")
    assert first != second
    assert uuid.UUID(first).version == 4
    assert first == first.lower()


@sources(
    "$random('x')",
    "$random(null)",
    "$random({})",
    "$random(1, 2)",
    "$uuid('x')",
    "$uuid(null)",
    "$uuid(1, 2)",
)
def test_random_and_uuid_fail_on_other_arguments(source: str) -> None:
    """Recorded by tiny-asl-machine (Feature.JSONataBuiltins 040 to 046), with this text of the cause (015)."""
    name = source[1 : source.index("(")]
    position = 2 if "(1, 2" in source and name == "random" else 1
    expected = f'T0410: Argument {position} of function "{name}" does not match function signature'
    fails(source, expected)

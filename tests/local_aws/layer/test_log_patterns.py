"""Filter patterns for lines of JSON."""

from __future__ import annotations

import json

import pytest

from stepweave.local_aws.layer.log_patterns import compiled, is_json_pattern

LINE = json.dumps(
    {
        "run": "scheduled-2026",
        "task": "load",
        "seconds": 2.5,
        "cached": False,
        "error": None,
        "tries": [{"status": 503}],
        "deep": {"er": "x"},
    }
)


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ('{ $.task = "load" }', True),
        ('{$.task="load"}', True),
        ("{ $.task = load }", True),
        ('{ $.task = "train" }', False),
        ('{ $.task != "train" }', True),
        ('{ $.absent != "train" }', False),
        ('{ $.run = "scheduled-*" }', True),
        ('{ $.run = "s?heduled-2026" }', False),
        ("{ $.seconds > 2 }", True),
        ("{ $.seconds >= 2.5 && $.seconds < 2.5 }", False),
        ("{ $.seconds = 2.5 }", True),
        ("{ $.task > 2 }", False),
        ("{ $.cached IS FALSE }", True),
        ("{ $.error IS NULL }", True),
        ("{ $.absent IS NULL }", False),
        ("{ $.error EXISTS }", True),
        ("{ $.absent NOT EXISTS }", True),
        ("{ $.tries[0].status = 503 }", True),
        ("{ $.tries[1].status = 503 }", False),
        ('{ $.deep.er = "x" }', True),
        ('{ ($.task = "train" || $.task = "load") && $.seconds < 3 }', True),
        ('{ $.task = "train" || $.task = "load" && $.seconds > 3 }', False),
    ],
)
def test_a_line_matches_or_not(pattern: str, expected: bool) -> None:
    assert compiled(pattern)(LINE) is expected


@pytest.mark.parametrize("line", ["START RequestId: 1", "{not json", "[1]", ""])
def test_a_line_that_is_no_object_never_matches(line: str) -> None:
    assert not compiled("{ $.absent NOT EXISTS }")(line)


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a = ",
        "{ a = 1 }",
        "{ $.a = 1 } }",
        "{ ($.a = 1 }",
        "{ $.a = 1",
        "{ $.a ! 1 }",
        "{ $.a NOT THERE }",
    ],
)
def test_what_is_no_pattern_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="filter pattern"):
        compiled(pattern)


def test_words_are_no_pattern_for_json() -> None:
    assert [is_json_pattern(one) for one in (" { $.a = 1 }", "ERROR", '"{"', "")] == [
        True,
        False,
        False,
        False,
    ]

"""Where our engine and sfnx differ: the rows of docs/parity.md, each with the machines that show it.

Ours and theirs are how the machine ends with the last of its inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

QUERY = "error States.QueryEvaluationError"
LIMIT = "error States.DataLimitExceeded"
CAUGHT_QUERY = '{"caught": "States.QueryEvaluationError"}'
CAUGHT_THRESHOLD = '{"caught": "States.ExceedToleratedFailureThreshold"}'


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of difference."""

    right: Literal["ours", "open"]
    """Who does what Step Functions does; a row where it is the other one is a bug of ours, and has no place here."""
    machines: dict[str, tuple[str, str]]
    """Names of machines of the corpus: how our engine ends them, and how sfnx does."""


ROWS: dict[str, Row] = {
    "a Choice without a match": Row(
        "ours",
        {
            "choice without default and match fails": (
                "error States.Runtime",
                "error States.NoChoiceMatched",
            ),
            "the failed expression of no match is caught outside": (
                "error States.Runtime",
                '{"caught": "States.NoChoiceMatched"}',
            ),
        },
    ),
    "text that is half an expression": Row(
        "ours",
        {
            "pass leaves text that is no expression": (
                "refused",
                '["$states.input", "{ % 1 % }", "{{% 1 %}}", "%}", "${x}"]',
            ),
            "text half an expression": ("refused", '"{% 1"'),
            "text that ends like an expression": ("refused", '"1 %}"'),
        },
    ),
    "`$eval`, `?:` and `??`": Row(
        "ours",
        {
            "what JSONata in Step Functions lacks: $eval('1')": ("refused", "1"),
            "what JSONata in Step Functions lacks: 1 ?: 2": ("refused", "1"),
            "what JSONata in Step Functions lacks: null ?? 1": ("refused", "null"),
        },
    ),
    "`$`, `$$` and names at the top level": Row(
        "ours",
        {
            "top level: $": ("refused", QUERY),
            "top level: $$": ("refused", QUERY),
            "top level: foo": ("refused", QUERY),
            "top level: $.a": ("refused", QUERY),
            "top level: $map([1], function($v) { foo })": ("refused", QUERY),
            "top level: $$.a": ("refused", QUERY),
        },
    ),
    "division by zero, and numbers out of range": Row(
        "ours",
        {
            "edge: 1/0": ('"Infinity"', "crash"),
            "edge: -1/0": ('"-Infinity"', "crash"),
            "edge: 0/0": ('"NaN"', "crash"),
            "edge: 1/0 > 5": ("true", "crash"),
            "edge: (1/0) + 1": (QUERY, "crash"),
            "edge: $type(1/0)": ('"number"', "crash"),
            "edge: 1e308 * 10": ('"Infinity"', QUERY),
        },
    ),
    "`&` with long integers": Row(
        "ours", {"edge: 9007199254740991 & ''": ('"9007199254740991"', '"9.00719925474099e+15"')}
    ),
    "what `$parse` reads": Row(
        "ours",
        {
            "parse: $parse('NaN')": (QUERY, "NaN"),
            'edge: $parse(\'{"a": 1, "a": 2}\')': (QUERY, '{"a": 2}'),
            "edge: $parse(\"{'a': 1}\")": ('{"a": 1}', QUERY),
            "edge: $parse('1e400')": (QUERY, "Infinity"),
        },
    ),
    "characters beyond the Basic Multilingual Plane": Row(
        "ours",
        {
            "edge: $substring('héllo😀', -1, 1)": ('"\\ufffd"', '"\\ud83d\\ude00"'),
            "edge: $split('😀', '')": ('["\\ufffd", "\\ufffd"]', '["\\ud83d\\ude00"]'),
        },
    ),
    "what `$toMillis` reads": Row(
        "ours",
        {
            "edge: $toMillis('2026-01-01 00:00:00Z')": (QUERY, "1767225600000"),
            "edge: $toMillis('20260101T000000Z')": (QUERY, "1767225600000"),
        },
    ),
    "the order that `$sort` makes": Row(
        "ours",
        {
            "edge: $sort([true, false])": (QUERY, "[false, true]"),
            "edge: $sort([{'k': 1, 'v': 'a'}, {'k': 1, 'v': 'b'}], function($l, $r) { $l.k > $r.k }).v": (
                '["a", "b"]',
                '["b", "a"]',
            ),
        },
    ),
    "`$0` in `$replace` with a text": Row("ours", {"edge: $replace('aa', 'a', '$0')": ('"$0$0"', '"aa"')}),
    "`true` and 1": Row(
        "ours",
        {
            "edge: $distinct([true, 1])": ("[true, 1]", "true"),
            "edge: true in [1]": ("false", "true"),
        },
    ),
    "`$count` of null": Row("open", {"edge: $count(null)": ("1", "0")}),
    "`States.DataLimitExceeded` that a task reports": Row(
        "open", {"catch States.ALL of a task's States.DataLimitExceeded": (LIMIT, '"caught"')}
    ),
    "a Fail without an error": Row(
        "ours",
        {
            "fail without an error": ("(no error)", "error "),
            "fail with a cause only": ("(no error)", "error "),
        },
    ),
    "a Fail whose error or cause is no text": Row(
        "ours",
        {
            "fail whose error is a number": (QUERY, "error 1"),
            "fail whose cause is a number": (QUERY, "error E"),
            "fail whose error is null": (QUERY, "error None"),
            "fail whose cause is null": (QUERY, "error E"),
            "fail whose error is an object": (QUERY, "error {}"),
            "fail whose cause is an object": (QUERY, "error E"),
            "fail whose error is true": (QUERY, "error True"),
            "fail whose cause is true": (QUERY, "error E"),
        },
    ),
    "payloads over 256 KiB": Row(
        "ours",
        {
            "an output that is too large": (LIMIT, "1"),
            "a variable that is too large": (LIMIT, "1"),
            "arguments that are too large": (LIMIT, "1"),
            "a result that is too large": (LIMIT, "1"),
            "a result that is too large, caught by States.ALL": ('{"caught": 2}', '{"caught": 1}'),
            "results of branches that are too large": (LIMIT, "1"),
            "an input that is too large": ("refused", "1"),
        },
    ),
    "the time limit of a machine": Row("ours", {"a machine that takes too long": ("timed out", "1")}),
    "`TimeoutSeconds` and `MaxConcurrency` that are no numbers": Row(
        "ours",
        {
            "a timeout that is computed wrong": (QUERY, "{}"),
            "a concurrency that is computed wrong": (QUERY, "[1]"),
        },
    ),
    "numbers of a distributed Map that are out of range": Row(
        "ours",
        {
            "ToleratedFailureCount of 'x'": (CAUGHT_QUERY, "crash"),
            "ToleratedFailureCount of -1": ("error States.Runtime", CAUGHT_THRESHOLD),
            "ToleratedFailureCount of 1.5": (CAUGHT_QUERY, "crash"),
            "ToleratedFailureCount of null": (CAUGHT_THRESHOLD, "crash"),
            "ToleratedFailurePercentage of 'x'": (CAUGHT_QUERY, "crash"),
            "ToleratedFailurePercentage of -1": ("error States.Runtime", CAUGHT_THRESHOLD),
            "ToleratedFailurePercentage of 1.5": (CAUGHT_THRESHOLD, "crash"),
            "ToleratedFailurePercentage of null": (CAUGHT_THRESHOLD, "crash"),
            "batches of 'x'": (CAUGHT_QUERY, "crash"),
            "batches of 0": (CAUGHT_QUERY, "crash"),
            "batches of -1": (CAUGHT_QUERY, '{"caught": []}'),
            "batches of 1.5": (CAUGHT_QUERY, "crash"),
            "batches of null": ('{"caught": [{"Items": [1, 2]}]}', "crash"),
        },
    ),
    "definitions that are not sound": Row(
        "ours",
        {
            "a Wait with seconds and a timestamp": ("refused", "{}"),
            "States.ALL beside another name": ("refused", '{"caught": {}}'),
            "States.ALL before another retrier": ("refused", "{}"),
            "a Task without a resource": ("refused", "crash"),
            "a Task without arguments": ("refused", "null"),
            "a variable named states": ("refused", "{}"),
            "a variable that is no name": ("refused", "{}"),
            "a variable of 81 characters": ("refused", "{}"),
            "a Retry with a fraction of attempts": ("refused", "{}"),
            "a BackoffRate below 1": ("refused", "{}"),
            "a Wait of -1 seconds": ("refused", QUERY),
            "a Wait until no time": ("refused", QUERY),
        },
    ),
    "failures beside running branches": Row(
        "ours", {"a branch fails while another waits": ("error E", "error E")}
    ),
}
"""By the name that the row has in docs/parity.md."""

MACHINES: dict[str, tuple[str, str]] = {
    name: ends for row in ROWS.values() for name, ends in row.machines.items()
}
"""Every machine that differs: how our engine ends it, and how sfnx does."""

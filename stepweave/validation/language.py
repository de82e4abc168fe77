"""Which query language a state speaks, and which JSONPath states mean the same in JSONata.

Only the exact word ``JSONPath``, or no word at all, asks for JSONPath; a state inherits from the machine, never from
the Map or the Parallel around it (https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSONATA, JSONPATH = "JSONata", "JSONPath"

_COMMON = frozenset({"Type", "Comment", "QueryLanguage"})
_NEUTRAL = {
    "Pass": _COMMON | {"Next", "End"},
    "Wait": _COMMON | {"Next", "End", "Seconds", "Timestamp"},
    "Succeed": _COMMON,
    "Fail": _COMMON | {"Error", "Cause"},
}
"""Fields that mean the same in both languages, while their values are constants."""


def speaks_jsonata(holder: Mapping[str, Any], inherited: bool) -> bool:
    """Whether a definition or a state is in JSONata mode."""
    return holder["QueryLanguage"] != JSONPATH if "QueryLanguage" in holder else inherited


def is_neutral(state: Mapping[str, Any]) -> bool:
    """Whether ``state`` does the same in both languages: it passes its input on, waits, or ends."""
    fields = _NEUTRAL.get(str(state.get("Type")))
    return fields is not None and state.keys() <= fields and not any(map(_marked, state.values()))


def _marked(value: Any) -> bool:
    return isinstance(value, str) and ("{%" in value or "%}" in value)

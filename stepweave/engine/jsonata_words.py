"""What an expression reads and uses, found by its words alone: most expressions need no more to be evaluated."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from stepweave.engine.jsonata_functions import REPLACED
from stepweave.validation.tokens import TOKEN, end_of_regex

NAME: Final = r"[^\W\d]\w*"
"""A name of a variable or a field that needs no quotation marks."""

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.DOTALL)
_SIGNATURE = re.compile(r"\)\s*<[^{}]*>\s*\{")
_VARIABLE = re.compile(rf"\$({NAME})")
_STATES_FIELD = re.compile(rf"\$states(?:\.({NAME}))?(?!\w)")
_STATES_FIELDS = ("input", "result", "errorOutput", "context")

# What may make an expression mean something else on Step Functions than in JSONata 2.0.6, or its result a function:
# text made of values, division, regular expressions, transforms and lambdas; some functions, and any function that is
# not called, called in part, or called without arguments.
_SPECIAL_WORDS = ("&", "/", "%", "|", "function", "λ")
_SPECIAL_FUNCTIONS = REPLACED | {"now", "fromMillis", "replace"}
_SPECIAL_USE = re.compile(rf"[(,]\s*\?|\$({NAME})(?!\w)(?:\s*\(\s*\)|(?!\s*\())")

_CLOSING = ")]}"
_ANY_REGEX = "/./"


def bare(source: str) -> str:
    """The expression without the text of its strings, comments and regular expressions.

    >>> bare("$a & 'it is $5'")
    "$a & ''"
    """
    return _without_regexes(source) if "/" in source else _QUOTED.sub("''", source)


def _without_regexes(source: str) -> str:
    """The same for text with a ``/``: what looks like a string may be part of a regular expression."""
    pieces: list[str] = []
    at = 0
    value = False  # whether a value has just ended, so that a / divides
    while (token := TOKEN.match(source, at)) and token.lastgroup != "end":
        kind, at = token.lastgroup, token.end()
        text = token[0]
        if kind == "comment":
            at = source.find("*/", at) + 2
            if at < 2:
                break  # a comment without an end, which the library refuses
            continue
        if kind == "operator" and token["operator"] == "/" and not value:
            at, text = max(end_of_regex(source, at - 1), at), _ANY_REGEX
        value = kind not in ("operator", "lambda") or text[-1] in _CLOSING or text == _ANY_REGEX
        pieces.append("''" if kind == "string" else text)
    return "".join(pieces)


def variables(words: str) -> tuple[str, ...]:
    """Names behind ``$`` in a bare expression, without ``states``; some may be functions, or bound by itself."""
    read = dict.fromkeys(_VARIABLE.findall(words))
    read.pop("states", None)
    return tuple(read)


def states_fields(words: str) -> tuple[str, ...]:
    """The fields of ``$states`` that a bare expression may read."""
    fields = _STATES_FIELD.findall(words)
    return _STATES_FIELDS if "" in fields else tuple(dict.fromkeys(fields))


def is_special(words: str, functions: Collection[str]) -> bool:
    """Whether a bare expression that names ``functions`` may have to be rewritten for the library."""
    if any(word in words for word in _SPECIAL_WORDS):
        return True
    if not functions:
        return False
    return not _SPECIAL_FUNCTIONS.isdisjoint(functions) or any(
        match[1] is None or match[1] in functions for match in _SPECIAL_USE.finditer(words)
    )


def refused(words: str) -> str | None:
    """Why Step Functions refuses a bare expression that the library knows, if it does."""
    if re.search(r"\$eval\s*\(", words):
        return "Step Functions has no $eval"
    operators = _SIGNATURE.sub("){", words) if "?" in words else ""
    for operator, pattern in (("?:", r"\?\s*:"), ("??", r"\?\?")):
        if re.search(pattern, operators):
            return f"the operator {operator} is newer than JSONata 2.0.6, which Step Functions runs"
    return None

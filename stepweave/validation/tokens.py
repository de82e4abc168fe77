"""The words of JSONata 2.0.6: how its text falls into tokens, and the functions that an expression may call.

The token rules follow the reference implementation (https://docs.jsonata.org): a name or a variable runs to the next
blank or operator character; ``/`` starts a regular expression only where a value is expected.
"""

from __future__ import annotations

import re

_BLANK = r" \t\n\r\v"
_OPERATORS = r".\[\]{}(),@#;:?+\-*/%|=<>^&!~"
_WORD = rf"[^{_BLANK}{_OPERATORS}]"
_ESCAPE = r"\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4})"
_PARAMETERS = rf"[{_BLANK}]*(?:\${_WORD}+[{_BLANK}]*(?:,[{_BLANK}]*\${_WORD}+[{_BLANK}]*)*)?"
_SIGNATURE = r"<[^{}]*>"

TOKEN = re.compile(
    rf"""[{_BLANK}]*(?:
      (?P<bind>\${_WORD}+(?=[{_BLANK}]*:=))
    | (?P<variable>\${_WORD}*)
    | (?P<lambda>(?:function|λ)[{_BLANK}]*\((?P<parameters>{_PARAMETERS})\)[{_BLANK}]*(?:{_SIGNATURE}[{_BLANK}]*)?\{{)
    | (?P<string>"(?:[^"\\]|{_ESCAPE})*"|'(?:[^'\\]|{_ESCAPE})*')
    | (?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)
    | (?P<quoted>`[^`]*`)
    | (?P<comment>/\*)
    | (?P<operator>\.\.|:=|!=|>=|<=|\*\*|~>|\?\?|\?:|[{_OPERATORS}])
    | (?P<name>(?!["'`]){_WORD}+)
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
"""One token with the blanks before it; no match means a string or quoted name without end."""

STATES_STEPS = re.compile(rf"[{_BLANK}]*\.[{_BLANK}]*(?:([A-Za-z_][A-Za-z0-9_]*)|`([^`]*)`)")
"""One step of a path that follows ``$states``."""

_FLAGS = re.compile("[im]*")

PARAMETER = re.compile(rf"\$({_WORD}+)")
"""A parameter of a lambda."""

SIMPLE = re.compile(r"\{%[ ]*\$([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*)*)[ ]*%\}")
"""A whole expression that is only a variable and a path; most expressions are."""

FUNCTIONS = frozenset(
    {  # https://docs.jsonata.org/string-functions and the pages beside it
        "abs", "append", "assert", "average", "base64decode", "base64encode", "boolean", "ceil", "clone",
        "contains", "count", "decodeUrl", "decodeUrlComponent", "distinct", "each", "encodeUrl",
        "encodeUrlComponent", "error", "exists", "filter", "floor", "formatBase", "formatInteger",
        "formatNumber", "fromMillis", "join", "keys", "length", "lookup", "lowercase", "map", "match",
        "max", "merge", "millis", "min", "not", "now", "number", "pad", "parseInteger", "power", "random",
        "reduce", "replace", "reverse", "round", "shuffle", "sift", "single", "sort", "split", "spread",
        "sqrt", "string", "substring", "substringAfter", "substringBefore", "sum", "toMillis", "trim",
        "type", "uppercase", "zip",
        # what Step Functions adds: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
        "hash", "parse", "partition", "range", "uuid",
    }
)  # fmt: skip
"""Functions of JSONata 2.0.6 that Step Functions offers, and its own; ``$eval`` is not among them."""


def end_of_regex(text: str, start: int) -> int:
    """Position behind the regular expression literal that starts at ``start``; -1 when it has no end.

    As in the reference implementation, a ``/`` inside brackets is part of the pattern.
    """
    depth = 0
    for at in range(start + 1, len(text)):
        escaped = text[at - 1] == "\\"
        if text[at] == "/" and not escaped and depth == 0:
            flags = _FLAGS.match(text, at + 1)
            return flags.end() if flags and at > start + 1 else -1
        if not escaped and text[at] in "([{":
            depth += 1
        elif not escaped and text[at] in ")]}":
            depth -= 1
    return -1

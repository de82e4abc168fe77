"""Filter patterns of CloudWatch Logs for lines of JSON, ``{ $.run = "r1" && $.seconds > 3 }``
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).

    either     = both {"||" both}
    both       = condition {"&&" condition}
    condition  = "(" either ")" | selector test
    test       = operator value | "IS" ("TRUE" | "FALSE" | "NULL") | "EXISTS" | "NOT" "EXISTS"
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

Test = Callable[[Any], bool]

_TOKEN = re.compile(r'\s*(&&|\|\||!=|<=|>=|[()=<>]|"(?:\\.|[^"\\])*"|\$[^\s=!<>&|()]*|[^\s=!<>&|()"]+)')
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_CONSTANTS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}
_ABSENT = object()


def is_json_pattern(pattern: str) -> bool:
    """Whether it is a pattern for JSON; others look for words."""
    return pattern.strip().startswith("{")


def compiled(pattern: str) -> Callable[[str], bool]:
    """Whether a line matches, for every line. Raises ``ValueError`` for a pattern that is none."""
    body = pattern.strip()
    if not body.endswith("}"):
        raise ValueError(f"the filter pattern {pattern!r} does not end with a brace")
    reader = _Reader(_tokens(body[1:-1]))
    test = reader.either()
    if reader.left():
        raise ValueError(f"the filter pattern {pattern!r} goes on with {reader.left()[0]!r}")

    def matches(line: str) -> bool:
        if not line.lstrip().startswith("{"):
            return False
        try:
            return test(json.loads(line))
        except ValueError:
            return False

    return matches


class _Reader:
    """Reads conditions from tokens, the first of them next."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def left(self) -> list[str]:
        return self._tokens

    def either(self) -> Test:
        tests = [self._both()]
        while self._follows("||"):
            tests.append(self._both())
        return lambda document: any(test(document) for test in tests)

    def _both(self) -> Test:
        tests = [self._condition()]
        while self._follows("&&"):
            tests.append(self._condition())
        return lambda document: all(test(document) for test in tests)

    def _condition(self) -> Test:
        if self._follows("("):
            test = self.either()
            self._expect(")")
            return test
        selector = self._next()
        if not selector.startswith("$"):
            raise ValueError(f"a filter pattern has {selector!r} where a selector ($.name) is expected")
        path = [name or int(index) for name, index in _STEP.findall(selector)]
        test = self._test()
        return lambda document: test(_at(document, path))

    def _test(self) -> Test:
        word = self._next()
        match word.upper():
            case "IS":
                constant = _CONSTANTS[self._next().upper()]
                return lambda value: value is constant
            case "EXISTS":
                return lambda value: value is not _ABSENT
            case "NOT":
                self._expect("EXISTS")
                return lambda value: value is _ABSENT
            case _:
                return _comparison(word, self._next())

    def _next(self) -> str:
        if not self._tokens:
            raise ValueError("a filter pattern ends where something is expected")
        return self._tokens.pop(0)

    def _follows(self, token: str) -> bool:
        if self._tokens[:1] == [token]:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if self._next().upper() != token:
            raise ValueError(f"a filter pattern lacks {token}")


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"a filter pattern has {text[at:].strip()[0]!r} where it means nothing")
        found.append(match.group(1))
        at = match.end()
    return found


def _comparison(operator: str, written: str) -> Test:
    quoted = written.startswith('"')
    text = json.loads(written) if quoted else written
    if operator in ("=", "!="):
        wanted = operator == "="
        return lambda value: value is not _ABSENT and _equal(value, text) is wanted
    number = float(text)
    orders: dict[str, Callable[[float], bool]] = {
        "<": lambda value: value < number,
        ">": lambda value: value > number,
        "<=": lambda value: value <= number,
        ">=": lambda value: value >= number,
    }
    order = orders[operator]
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and order(value)


def _equal(value: object, text: str) -> bool:
    """Whether a value is what is written; a ``*`` stands for anything."""
    if isinstance(value, str):
        return fnmatchcase(value, text.replace("[", "[[]").replace("?", "[?]"))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return value == float(text)
        except ValueError:
            return fnmatchcase(str(value), text)
    return False


def _at(document: Any, path: list[str | int]) -> Any:
    for step in path:
        if isinstance(step, str) and isinstance(document, dict):
            document = document.get(step, _ABSENT)
        elif isinstance(step, int) and isinstance(document, list) and step < len(document):
            document = document[step]
        else:
            return _ABSENT
    return document

"""The values of a state in which expressions may stand: finding the expressions, and what they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.validation.jsonata import is_expression, read
from stepweave.validation.report import Report, Scope, shorten

ENTRY = frozenset({"input", "context"})
"""Members of ``$states`` wherever an expression is evaluated
(https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html)."""

RESULT = ENTRY | {"result"}
"""Members in ``Assign`` and ``Output`` of a state that has a result."""

ERROR = ENTRY | {"errorOutput"}
"""Members in ``Assign`` and ``Output`` of a catcher."""

_CONTEXT = frozenset({"Execution", "State", "StateMachine", "Task", "Map"})
"""Members of ``$states.context`` (https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html)."""


class Reads:
    """The variables that one state reads, with the field that reads each; reports what is wrong on the way."""

    __slots__ = ("_dollar_keys", "_report", "_scope", "_state", "found")

    def __init__(self, report: Report, scope: Scope, state: str, *, dollar_keys: bool) -> None:
        self._report = report
        self._scope = scope
        self._state = state
        self._dollar_keys = dollar_keys
        """Whether a key anywhere in the state ends with ``.$``, as in JSONPath mode."""
        self.found: list[tuple[str, str]] = []

    def collect(self, value: Any, field: str, members: frozenset[str]) -> None:
        """Read every expression inside ``value``; ``members`` are what ``$states`` has in this field."""
        values = [value]
        for inner in values:  # grows on the way: no recursion, whatever the nesting
            if isinstance(inner, str):
                if "%" in inner and ("{%" in inner or "%}" in inner):
                    self._string(inner, field, members)
            elif isinstance(inner, dict):
                values += inner.values()
                if self._dollar_keys:
                    self._jsonpath(inner, field)
            elif isinstance(inner, (list, tuple)):
                values += inner

    def _jsonpath(self, value: Mapping[str, Any], field: str) -> None:
        for key in value:
            if key.endswith(".$"):
                what = f"{field} has the key {shorten(key)}, which JSONata mode does not evaluate"
                fix = f"write '{key[:-2]}': '{{% … %}}'"
                self._report.add("jsonpath-key", what, self._scope, self._state, fix=fix)

    def _string(self, text: str, field: str, members: frozenset[str]) -> None:
        if is_expression(text):
            self._expression(text, field, members)
            return
        half = text.startswith("{%") or text.endswith("%}")
        bare = text.strip()
        if half or bare.startswith("{%") or bare.endswith("%}"):
            self._report.add(
                "expression-form" if half else "expression-blanks",
                f"{field} has text that is an expression only in part",
                self._scope,
                self._state,
                expected="text that starts exactly with {% and ends exactly with %}",
                got=text,
            )

    def _expression(self, text: str, field: str, members: frozenset[str]) -> None:
        expression = read(text)
        for code, what, fix in expression.findings:
            self._report.add(code, f"{field}: {what}", self._scope, self._state, got=text, fix=fix)
        for first, second in expression.states:
            if first and first not in members:
                self._no_member(f"$states.{first}", field, members, text)
            elif first == "context" and second and second not in _CONTEXT:
                self._no_member(f"$states.context.{second}", field, _CONTEXT, text, "context-member")
        for name in expression.variables:
            self.found.append((name, field))

    def _no_member(
        self, path: str, field: str, known: frozenset[str], text: str, code: str = "states-variable"
    ) -> None:
        what = f"{field} reads {path}, which does not exist there"
        expected = ", ".join(sorted(known))
        self._report.add(code, what, self._scope, self._state, expected=expected, got=text)

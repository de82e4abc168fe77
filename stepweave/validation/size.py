"""How long a definition is, measured state by state so that deep nesting costs no recursion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stepweave.validation.limits import MAX_DEFINITION_BYTES
from stepweave.validation.maps import PROCESSORS
from stepweave.validation.names import bad_substitution
from stepweave.validation.report import Report, Scope

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def fits(text: str) -> bool:
    """Whether a definition with this JSON text breaks neither the limit of bytes nor the form of substitutions."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return size <= MAX_DEFINITION_BYTES and not ("${" in text and bad_substitution(text))


class Measure:
    """Adds up the bytes of the shortest JSON text of a definition; looks into that text for substitutions."""

    __slots__ = ("_report", "size")

    def __init__(self, report: Report) -> None:
        self._report = report
        self.size = 0

    def machine(self, scope: Scope, states: Mapping[str, Any]) -> None:
        """Count a machine without its states."""
        self._add({**scope.machine, "States": {}}, scope, "")
        self.size += max(0, len(states) - 1)

    def state(self, scope: Scope, name: str, state: Mapping[str, Any]) -> str:
        """Count a state without its inner machines; its JSON text."""
        branches = state.get("Branches")
        if isinstance(branches, (list, tuple)):
            broken = [branch for branch in branches if not isinstance(branch, dict)]
            self.size += max(0, len(branches) - len(broken) - (not broken))
            state = {**state, "Branches": broken}
        for field in PROCESSORS:
            if isinstance(state.get(field), dict):
                self.size -= len("{}")
                state = {**state, field: {}}
        self.size += len(_encode(name).encode("utf-8", "surrogatepass")) + len(":")
        return self._add(state, scope, name)

    def finish(self, scope: Scope) -> None:
        """Report a definition that is too long."""
        if self.size > MAX_DEFINITION_BYTES:
            self._report.add(
                "definition-size",
                "the definition is too long",
                scope,
                expected=f"at most {MAX_DEFINITION_BYTES:,} bytes",
                got=f"{self.size:,} bytes without white space",
                fix="cut it into nested state machines (states:startExecution.sync:2)",
            )

    def _add(self, value: Mapping[str, Any], scope: Scope, name: str) -> str:
        try:
            text = _encode(value)
        except (TypeError, ValueError) as error:
            self._report.add("not-json", f"a value cannot be written as JSON: {error}", scope, name)
            return ""
        except RecursionError:
            self._report.add("not-json", "a value is nested too deeply to be written as JSON", scope, name)
            return ""
        self.size += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if "${" in text and (bad := bad_substitution(text)):
            self._report.add(
                "substitution",
                "${ starts a substitution of CloudFormation, but this is none",
                scope,
                name,
                expected="${Name} with letters, digits and _",
                got=bad,
                fix="keep ${ out of texts; in an expression write '$' & '{'",
            )
        return text

"""A whole definition: the walk over its machines and states, and the checks in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepweave.errors import Problem
from stepweave.validation.duplicates import check_duplicates
from stepweave.validation.facts import Common, MachineFacts, StateFacts
from stepweave.validation.fields import (
    BRANCH_FIELDS,
    JSONPATH_FIELDS,
    MACHINE_FIELDS,
    PROCESSOR_FIELDS,
    Check,
)
from stepweave.validation.flow import check_flow
from stepweave.validation.language import JSONATA, JSONPATH, is_neutral, speaks_jsonata
from stepweave.validation.maps import mode_of, processor_of
from stepweave.validation.names import state_name_fault
from stepweave.validation.report import Report, Scope, shorten
from stepweave.validation.size import Measure, fits
from stepweave.validation.states import StateCheck, unchecked
from stepweave.validation.suggestions import closest


def validate(
    definition: Mapping[str, Any], *, name: str = "", text: str | None = None
) -> tuple[Problem, ...]:
    """Everything in ``definition`` that Step Functions would refuse or that would fail when it runs; empty when sound.

    ``definition`` is a state machine in the Amazon States Language, JSONata mode, as parsed JSON. ``name`` is what the
    problems call it: a file or a machine. ``text`` is the definition's JSON text, where it is at hand: only there can
    be seen which keys stand twice. Each problem names the state by its path (``branches 1[0]/load_orders``), and
    ``severity.rejections`` tells those for which Step Functions rejects a definition. Time grows with the number of
    states, and machines may be nested to any depth.

    >>> validate({"QueryLanguage": "JSONata", "StartAt": "a", "States": {"a": {"Type": "Succeed"}}})
    ()
    """
    report = Report(name)
    parsed: Any = definition
    if not isinstance(parsed, dict):  # a file may hold any JSON
        report.add("field-type", "the definition is no object", Scope({}), expected="an object", got=parsed)
        return tuple(report.problems)
    walk = _Walk(report, Scope(definition), text)
    walk.run()
    check_flow(walk.machines, walk.common.variables, report)
    if text is not None:
        check_duplicates(text, report)
    return tuple(report.problems)


_DOLLAR_KEY = '.$"'
"""The end of a key of JSONPath mode in JSON text."""


class _Walk:
    """Visits every machine, outer before inner, and every state in it."""

    def __init__(self, report: Report, top: Scope, text: str | None) -> None:
        self._report = report
        self._top = top
        self._jsonata = speaks_jsonata(top.machine, inherited=False)
        self._says_jsonata = False
        """Whether a state says that it is in JSONata mode."""
        self._jsonpath: list[tuple[Scope, str]] = []
        """States in JSONPath mode that would not do the same in JSONata mode."""
        self._measure = None if text is not None and fits(text) else Measure(report)
        self._dollar_keys = text is not None and _DOLLAR_KEY in text
        self._first: dict[str, Scope] = {}
        """The machine in which each state name was met first; names are unique in the whole definition."""
        self._labels: dict[str, str] = {}
        """Path of the state in which each Label was met first; they are unique, too."""
        self.common = Common(report)
        self.machines: list[MachineFacts] = []

    def run(self) -> None:
        self._version()
        stack = [self._top]
        while stack:
            scope = stack.pop()
            stack.extend(reversed(list(self._machine(scope))))
        self._refuse_jsonpath()
        if self._measure:
            self._measure.finish(self._top)

    def _version(self) -> None:
        language = self._top.machine.get("QueryLanguage")
        if isinstance(language, str) and language not in (JSONATA, JSONPATH):
            self._report.add(
                "query-language", "QueryLanguage is unknown", self._top, expected=JSONATA, got=language
            )

    def _machine(self, scope: Scope) -> Iterator[Scope]:
        """Check one machine; the machines inside it."""
        self._machine_fields(scope)
        states = scope.machine.get("States")
        start = scope.machine.get("StartAt")
        states = states if isinstance(states, dict) else {}
        if self._measure:
            self._measure.machine(scope, states)
        if not states:
            self._report.add(
                "empty-machine", "the machine has no states", scope, expected="States with at least one state"
            )
        elif isinstance(start, str) and start not in states:
            like = closest(start, states)
            fix = f"write {like!r}" if like else None
            self._report.add(
                "start-at", "StartAt names a state that is not in this machine", scope, got=start, fix=fix
            )
        facts: dict[str, StateFacts] = {}
        self.machines.append(MachineFacts(scope, start if isinstance(start, str) else None, facts))
        inner: list[Scope] = []
        for name, state in states.items():
            found = self._state(scope, name, state)
            if found is not None:
                facts[name] = found
                if state.get("Type") in ("Parallel", "Map"):
                    inner.extend(self._inner(scope, name, state))
        return iter(inner)

    def _machine_fields(self, scope: Scope) -> None:
        fields: Mapping[str, Check]
        if scope.parent is None:
            fields, kind = MACHINE_FIELDS, "the definition"
        elif scope.place == "[*]":
            fields, kind = PROCESSOR_FIELDS, "an ItemProcessor"
        else:
            fields, kind = BRANCH_FIELDS, "a branch"
        for field, value in scope.machine.items():
            check = fields.get(field)
            if check is None:
                like = closest(field, fields)
                fix = JSONPATH_FIELDS.get(field) or (f"write {like}" if like else None)
                self._report.add(
                    "unknown-field", f"{kind} has no field {shorten(field)}", scope, got=field, fix=fix
                )
            elif expected := check(value):
                self._report.add(
                    "field-type", f"{field} has a wrong value", scope, expected=expected, got=value
                )
        for field in ("StartAt", "States"):
            if field not in scope.machine:
                self._report.add("missing-field", f"{kind} needs {field}", scope, expected=field)

    def _state(self, scope: Scope, name: str, state: Any) -> StateFacts | None:
        if not isinstance(state, dict):
            self._report.add(
                "field-type", "the state is not an object", scope, name, expected="an object", got=state
            )
            return None
        if fault := state_name_fault(name):
            self._report.add(
                "state-name",
                fault,
                scope,
                name,
                expected="1 to 80 characters, none of them a control character",
            )
        first = self._first.setdefault(name, scope)
        if first is not scope:
            what, got = "another state has this name", first.path(name)
            fix = "names must be unique in the whole definition"
            self._report.add("duplicate-state", what, scope, name, got=got, fix=fix)
        dollar_keys = self._dollar_keys
        if self._measure:
            dollar_keys = _DOLLAR_KEY in self._measure.state(scope, name, state)
        if state.get("Type") == "Map":
            self._label(scope, name, state.get("Label"))
        if not self._is_jsonata(scope, name, state):
            return unchecked(state)
        return StateCheck(self.common, scope, name, state, dollar_keys=dollar_keys).run()

    def _label(self, scope: Scope, name: str, label: Any) -> None:
        if isinstance(label, str):
            path = scope.path(name)
            first = self._labels.setdefault(label, path)
            if first is not path:
                what, fix = "another Map has this Label", "labels must be unique in the whole definition"
                self._report.add("duplicate-label", what, scope, name, got=f"{label} in {first}", fix=fix)

    def _is_jsonata(self, scope: Scope, name: str, state: Mapping[str, Any]) -> bool:
        """Whether a state can be checked as one in JSONata mode; if not, that is reported."""
        if "QueryLanguage" in state:
            downgraded = state["QueryLanguage"] == JSONPATH
            self._says_jsonata = self._says_jsonata or not downgraded
            if downgraded and self._jsonata:
                what, fix = "a state of a JSONata machine cannot be in JSONPath mode", "remove QueryLanguage"
                self._report.add("query-language", what, scope, name, got=JSONPATH, expected=JSONATA, fix=fix)
                return False
        if speaks_jsonata(state, self._jsonata) or is_neutral(state):
            return True
        self._jsonpath.append((scope, name))
        return False

    def _refuse_jsonpath(self) -> None:
        """Report states in JSONPath mode: each, or the definition where no state is in JSONata mode."""
        places = self._jsonpath
        fix = 'write the state in JSONata, with "QueryLanguage": "JSONata" in it'
        if places and not self._says_jsonata:
            places = [(self._top, "")]
            fix = 'write "QueryLanguage": "JSONata" at the top, and the states in JSONata'
        for scope, name in places:
            what = "JSONPath mode is not supported, only JSONata"
            self._report.add("query-language", what, scope, name, got=JSONPATH, expected=JSONATA, fix=fix)

    def _inner(self, scope: Scope, name: str, state: Mapping[str, Any]) -> Iterator[Scope]:
        if state["Type"] == "Map":
            processor = processor_of(state)
            if isinstance(processor, dict):
                distributed, express = mode_of(state)
                yield Scope(
                    processor, scope, name, "[*]", distributed, express if distributed else scope.express
                )
            return
        branches = state.get("Branches")
        for index, branch in enumerate(branches if isinstance(branches, (list, tuple)) else ()):
            if isinstance(branch, dict):
                yield Scope(branch, scope, name, f"[{index}]", express=scope.express)
            else:
                what = f"Branches[{index}] is not an object"
                self._report.add("field-type", what, scope, name, expected="an object", got=branch)

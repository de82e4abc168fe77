"""One state: its fields, and what it leaves for the check of the whole machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepweave.validation.facts import EVERY_VARIABLE, Common, StateFacts, Way
from stepweave.validation.fields import CONSTANT, JSONPATH_FIELDS, REQUIRED, RULE_FIELDS, STATE_FIELDS, Check
from stepweave.validation.limits import RESERVED_ERRORS
from stepweave.validation.maps import PROCESSORS, check_map
from stepweave.validation.names import variable_name_fault
from stepweave.validation.report import Scope, shorten
from stepweave.validation.retries import check_handlers
from stepweave.validation.suggestions import closest
from stepweave.validation.tasks import check_task
from stepweave.validation.templates import ENTRY, ERROR, RESULT, Reads
from stepweave.validation.waits import check_wait

_OWN_READING = frozenset(
    {"Assign", "Output", "Retry", "Catch", "Choices", "Branches", "ItemReader", *PROCESSORS}
)
"""Fields that are read where their state type is handled."""


class StateCheck:
    """The check of one state."""

    __slots__ = ("_assigns", "_common", "_name", "_reads", "_scope", "_state", "_targets", "_ways")

    def __init__(
        self, common: Common, scope: Scope, name: str, state: Mapping[str, Any], *, dollar_keys: bool
    ) -> None:
        self._common = common
        self._scope = scope
        self._targets: Mapping[str, Any] = scope.machine["States"]
        self._name = name
        self._state = state
        self._reads = Reads(common.report, scope, name, dollar_keys=dollar_keys)
        self._ways: list[Way] = []
        self._assigns = 0

    def run(self) -> StateFacts:
        """Report what is wrong with the state; its facts."""
        state = self._state
        kind = state.get("Type")
        if not isinstance(kind, str) or kind not in STATE_FIELDS:
            expected = ", ".join(sorted(STATE_FIELDS))
            self._add("state-type", "the state has no known Type", expected=expected, got=kind)
            return unchecked(state)
        self._fields(STATE_FIELDS[kind])
        for field in REQUIRED.get(kind, ()):
            if field not in state:
                self._add("missing-field", f"a {kind} state needs {field}", expected=field)
        own_assigns = self._values("", state, RESULT if "Retry" in STATE_FIELDS[kind] else ENTRY)
        if "Next" in STATE_FIELDS[kind]:
            self._next(own_assigns)
        if kind == "Choice":
            self._choice(own_assigns)
        else:
            self._kind(kind)
        if "Retry" in STATE_FIELDS[kind]:
            self._handlers()
        return self._facts(kind)

    def _facts(self, kind: str) -> StateFacts:
        bits = 0
        for variable, _ in self._reads.found:
            bits |= self._common.variables.bit(variable)
        terminal = kind in ("Succeed", "Fail") or self._state.get("End") is True
        return StateFacts(tuple(self._ways), terminal, tuple(self._reads.found), bits, self._assigns)

    # Fields

    def _fields(self, fields: Mapping[str, Check]) -> None:
        collect = self._reads.collect
        for field, value in self._state.items():
            check = fields.get(field)
            if check is None:
                self._unknown(field)
            elif expected := check(value):
                self._add("field-type", f"{field} has a wrong value", expected=expected, got=value)
            elif field not in CONSTANT and field not in _OWN_READING:
                collect(value, field, ENTRY)

    def _unknown(self, field: str) -> None:
        kind = self._state["Type"]
        if field in JSONPATH_FIELDS:
            fix = JSONPATH_FIELDS[field]
            self._add(
                "jsonpath-field", f"the field {field} belongs to JSONPath, not to JSONata mode", fix=fix
            )
            return
        like = closest(field, STATE_FIELDS[kind])
        fix = f"write {like}" if like else f"a {kind} state has {', '.join(sorted(STATE_FIELDS[kind]))}"
        self._add("unknown-field", f"a {kind} state has no field {shorten(field)}", got=field, fix=fix)

    def _values(self, where: str, holder: Mapping[str, Any], members: frozenset[str]) -> int:
        """Read ``Assign`` and ``Output`` of a state, a rule or a catcher; the variables that it assigns."""
        if "Output" in holder:
            self._reads.collect(holder["Output"], where + "Output", members)
        assign = holder.get("Assign")
        if not isinstance(assign, dict):
            return 0 if assign is None else EVERY_VARIABLE
        bits = 0
        for name in assign:
            if fault := variable_name_fault(str(name)):
                self._add("variable-name", f"{where}Assign: {fault}", got=name)
            bits |= self._common.variables.bit(name)
        self._reads.collect(assign, where + "Assign", members)
        self._assigns |= bits
        return bits

    def _way(self, target: Any, assigns: int, field: str) -> None:
        if not isinstance(target, str):
            return
        self._ways.append(Way(target, assigns, field))
        if target not in self._targets:
            like = closest(target, self._targets)
            fix = (
                f"write {like!r}"
                if like
                else "name a state of the same machine; a branch cannot be left or entered"
            )
            self._add(
                "unknown-target", f"{field} names a state that is not in this machine", got=target, fix=fix
            )

    def _next(self, assigns: int) -> None:
        state = self._state
        if "Next" in state:
            self._way(state["Next"], assigns, "Next")
            if "End" in state:
                self._add("next-and-end", "the state has both Next and End", fix="keep one of them")
        elif "End" not in state:
            self._add("missing-next", "the state has neither Next nor End", fix="add Next, or End: true")

    # Types of state

    def _kind(self, kind: str) -> None:
        state = self._state
        if kind == "Task":
            check_task(state, self._add, express=self._scope.express)
        elif kind == "Wait":
            check_wait(state, self._add)
        elif kind == "Fail":
            error = state.get("Error")
            if isinstance(error, str) and error.startswith("States.") and error not in RESERVED_ERRORS:
                self._add("unknown-error", "Error: names of your own must not start with States.", got=error)
        elif kind == "Map":
            check_map(state, self._add, express=self._scope.express)
            self._item_reader(state.get("ItemReader"))

    def _item_reader(self, reader: Any) -> None:
        """Read the expressions of an ``ItemReader``; names of columns are no expressions."""
        for field, value in reader.items() if isinstance(reader, dict) else ():
            if field == "ReaderConfig" and isinstance(value, dict):
                value = {name: entry for name, entry in value.items() if name != "CSVHeaders"}
            if field != "Resource":
                self._reads.collect(value, f"ItemReader.{field}", ENTRY)

    def _choice(self, assigns: int) -> None:
        rules = self._state.get("Choices")
        for index, rule in enumerate(rules if isinstance(rules, (list, tuple)) else ()):
            where = f"Choices[{index}]"
            if isinstance(rule, dict):
                self._rule(where, rule)
            else:
                self._add("field-type", f"{where} is not an object", expected="an object", got=rule)
        if "Default" in self._state:
            self._way(self._state["Default"], assigns, "Default")

    def _rule(self, where: str, rule: Mapping[str, Any]) -> None:
        needed = ["Condition", "Next"]
        for field, value in rule.items():
            check = RULE_FIELDS.get(field)
            if check is None and (
                field in JSONPATH_FIELDS or field in ("And", "Or", "Not") or "Equals" in field
            ):
                fix = "write the comparison in Condition: {% … %}"
                self._add("jsonpath-field", f"{where} has the JSONPath field {field}", fix=fix)
                needed = ["Next"]
            elif check is None:
                self._add("unknown-field", f"{where} has the field {field}, which no rule has", got=field)
            elif expected := check(value):
                self._add("field-type", f"{where}.{field} has a wrong value", expected=expected, got=value)
            elif field == "Condition":
                self._reads.collect(value, where + ".Condition", ENTRY)
        for field in needed:
            if field not in rule:
                self._add("missing-field", f"{where} has no {field}", expected=field)
        self._way(rule.get("Next"), self._values(where + ".", rule, ENTRY), where + ".Next")

    def _handlers(self) -> None:
        for kind in ("Retry", "Catch"):
            handlers = self._state.get(kind)
            if not isinstance(handlers, (list, tuple)):
                continue
            self._handler_list(kind, handlers)
            if kind == "Catch":
                for index, catcher in _objects(handlers):
                    where = f"Catch[{index}]."
                    self._way(catcher.get("Next"), self._values(where, catcher, ERROR), where + "Next")

    def _handler_list(self, kind: str, handlers: Any) -> None:
        common, text = self._common, ""
        if id(handlers) in common.sound_lists:
            return
        if kind == "Retry":
            text = repr(handlers)
            if text in common.sound_texts:
                return
        findings = list(check_handlers(kind, handlers))
        for code, what, expected, got, fix in findings:
            self._add(code, what, expected=expected, got=got, fix=fix)
        if not findings:
            common.sound_lists.add(id(handlers))
            common.sound_texts.add(text)

    def _add(
        self, code: str, what: str, *, expected: str | None = None, got: object = None, fix: str | None = None
    ) -> None:
        self._common.report.add(code, what, self._scope, self._name, expected=expected, got=got, fix=fix)


def unchecked(state: Mapping[str, Any]) -> StateFacts:
    """Facts of a state that is not checked: where it leads, and nothing that could be wrong further on."""
    holders = [
        state,
        *(entry for field in ("Choices", "Catch") for _, entry in _objects(state.get(field))),
    ]
    targets = [holder.get(field) for holder in holders for field in ("Next", "Default")]
    ways = tuple(Way(target, EVERY_VARIABLE, "Next") for target in targets if isinstance(target, str))
    return StateFacts(ways, terminal=True, reads=(), reads_bits=0, assigns=0)


def _objects(values: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    given = values if isinstance(values, (list, tuple)) else ()
    return ((index, value) for index, value in enumerate(given) if isinstance(value, dict))

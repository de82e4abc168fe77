"""From an Amazon States Language definition to a :class:`~stepweave.engine.machine.Machine`.

One pass over the definition, linear in its size and without recursion over states or branches. Everything wrong is
reported at once, before anything runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stepweave.engine.fields import Report, some
from stepweave.engine.machine import Block, Machine
from stepweave.engine.state_reading import NAME_CHARACTERS, Scope, StateReader
from stepweave.errors import DefinitionError


def parse(definition: Mapping[str, Any] | str, name: str = "machine") -> Machine:
    """The machine that ``definition`` (an object or its JSON text) describes.

    Raises ``DefinitionError`` with every problem found.
    """
    reader = _Reader(name)
    machine = reader.machine(reader.source(definition))
    if reader.report.problems:
        raise DefinitionError(reader.report.problems)
    return machine


class _Reader:
    """Reads one definition, block by block, and collects its problems."""

    def __init__(self, name: str) -> None:
        self.report = Report(name)
        self._names: set[str] = set()
        self._pending: list[Scope] = []
        self._scopes: list[Scope] = []

    def source(self, definition: Mapping[str, Any] | str) -> Mapping[str, Any]:
        """The definition as an object; an empty one, and a problem, when it is none."""
        try:
            source = json.loads(definition) if isinstance(definition, str) else definition
        except ValueError as error:
            self.report.problem("json", f"the definition is not JSON: {error}")
            return {"QueryLanguage": "JSONata"}
        if not isinstance(source, Mapping):
            self.report.problem("json", "the definition is not an object", got=type(source).__name__)
            return {"QueryLanguage": "JSONata"}
        return source

    def machine(self, source: Mapping[str, Any]) -> Machine:
        """The machine; its nested blocks are read one after another."""
        language = source.get("QueryLanguage", "JSONPath")
        if language != "JSONata" and not _every_state_says_jsonata(source):
            expected = '"QueryLanguage": "JSONata"'
            fix = "add it at the top of the definition"
            self.report.problem(
                "query-language", "only JSONata is run", expected=expected, got=str(language), fix=fix
            )
        top = self.open_block(source, None)
        while self._pending:
            self._read(self._pending.pop())
        self._check_variables()
        timeout = source.get("TimeoutSeconds")
        if timeout is not None and (
            isinstance(timeout, bool) or not isinstance(timeout, int) or timeout <= 0
        ):
            what = "TimeoutSeconds is not a positive whole number"
            self.report.problem("field-value", what, got=repr(timeout))
        return Machine(
            name=self.report.machine, block=top, timeout_seconds=timeout, inexact=self.report.inexact
        )

    def open_block(self, source: Any, parent: Scope | None) -> Block:
        """A block whose states are read later."""
        states = source.get("States") if isinstance(source, Mapping) else None
        if not isinstance(states, Mapping) or not states:
            self.report.problem("states", "a machine or branch has no States", expected="an object of states")
            return Block(start="")
        start = source.get("StartAt")
        if not isinstance(start, str) or start not in states:
            what = "StartAt does not name a state"
            self.report.problem("start-at", what, expected=some(states), got=repr(start))
        block = Block(start=str(start))
        self._pending.append(Scope(states=states, block=block, parent=parent))
        return block

    def _read(self, scope: Scope) -> None:
        """Read the states of one block."""
        self._scopes.append(scope)
        reader = StateReader(self.report, scope, self.open_block)
        for name, source in scope.states.items():
            if name in self._names:
                self.report.problem(
                    "state-name", "another state has the same name", name, fix="rename one of them"
                )
            if not 1 <= len(name) <= NAME_CHARACTERS:
                expected = f"1 to {NAME_CHARACTERS} characters"
                self.report.problem(
                    "state-name", "the name is too long or empty", name, expected=expected, got=str(len(name))
                )
            self._names.add(name)
            if (state := reader.state(name, source)) is not None:
                scope.block.states[name] = state

    def _check_variables(self) -> None:
        """An inner scope may not assign a variable of an outer one."""
        for scope in self._scopes:
            for name in scope.assigned:
                if name == "states" or len(name) > NAME_CHARACTERS:
                    self.report.problem("variable-name", f"{name!r} cannot be the name of a variable")
            outer = scope.parent
            while outer is not None and scope.assigned:
                for name in sorted(scope.assigned & outer.assigned):
                    self.report.problem(
                        "variable-scope",
                        f"the variable {name!r} is assigned in a branch and in a scope around it",
                        fix="return the value in the branch's Output, or rename one of them",
                    )
                outer = outer.parent


def _every_state_says_jsonata(source: Mapping[str, Any]) -> bool:
    states = source.get("States")
    if not isinstance(states, Mapping) or not states:
        return False
    return all(
        isinstance(state, Mapping) and state.get("QueryLanguage") == "JSONata" for state in states.values()
    )

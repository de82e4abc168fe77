"""From an Amazon States Language definition to a :class:`~stepweave.engine.machine.Machine`.

One pass over the definition, linear in its size and without recursion over states or branches. Everything wrong is
reported at once, before anything runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.engine.fields import ALLOWED, FORBIDDEN, NOT_SUPPORTED, REQUIRED, Fields, Report
from stepweave.engine.machine import (
    Block,
    Catcher,
    Choice,
    Fail,
    Machine,
    Map,
    Parallel,
    Pass,
    Retrier,
    Rule,
    State,
    Succeed,
    Task,
    Wait,
)
from stepweave.engine.templates import Template
from stepweave.errors import DefinitionError

NAME_CHARACTERS = 80
"""Longest state name and variable name: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""

INLINE_MAP_CONCURRENCY = 40
"""Iterations of an inline Map at once: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html."""


@dataclass(slots=True)
class _Scope:
    """A block being read: where its problems lie and which variables its states assign."""

    source: Mapping[str, Any]
    block: Block
    parent: _Scope | None
    assigned: set[str] = field(default_factory=set)


def parse(definition: Mapping[str, Any] | str, name: str = "machine") -> Machine:
    """The machine that ``definition`` (an object or its JSON text) describes.

    Raises ``DefinitionError`` with every problem found.
    """
    source = json.loads(definition) if isinstance(definition, str) else definition
    reader = _Reader(name)
    machine = reader.machine(source)
    if reader.report.problems:
        raise DefinitionError(reader.report.problems)
    return machine


class _Reader:
    """Reads one definition and collects its problems."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.report = Report(name)
        self.problem = self.report.problem
        self.names: set[str] = set()
        self.pending: list[_Scope] = []
        self.scopes: list[_Scope] = []

    def machine(self, source: Mapping[str, Any]) -> Machine:
        language = source.get("QueryLanguage", "JSONPath")
        if language != "JSONata" and not _every_state_says_jsonata(source):
            self.problem(
                "query-language",
                "only JSONata is run",
                expected='"QueryLanguage": "JSONata"',
                got=str(language),
                fix="add it at the top of the definition",
            )
        top = self.block(source, None)
        while self.pending:
            self.states(self.pending.pop())
        self.check_variables()
        timeout = source.get("TimeoutSeconds")
        if timeout is not None and (
            isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0
        ):
            self.problem("field-value", "TimeoutSeconds is not a positive number", got=repr(timeout))
        return Machine(name=self.name, block=top, timeout_seconds=timeout, inexact=self.report.inexact)

    def block(self, source: Mapping[str, Any], parent: _Scope | None) -> Block:
        """A block whose states are read later."""
        start, states = source.get("StartAt"), source.get("States")
        if not isinstance(states, Mapping) or not states:
            self.problem("states", "a machine or branch has no States")
            return Block(start="")
        if start not in states:
            self.problem("start-at", "StartAt does not name a state", expected=_some(states), got=repr(start))
        block = Block(start=str(start))
        self.pending.append(_Scope(source=source, block=block, parent=parent))
        return block

    def states(self, scope: _Scope) -> None:
        """Read the states of one block."""
        self.scopes.append(scope)
        for name, source in scope.source["States"].items():
            if name in self.names:
                self.problem("state-name", "another state has the same name", name, fix="rename one of them")
            if not 1 <= len(name) <= NAME_CHARACTERS:
                self.problem(
                    "state-name",
                    f"the name has {len(name)} characters",
                    name,
                    expected=f"1 to {NAME_CHARACTERS}",
                )
            self.names.add(name)
            if (state := self.state(name, source, scope)) is not None:
                scope.block.states[name] = state

    def state(self, name: str, source: Mapping[str, Any], scope: _Scope) -> State | None:
        kind = str(source.get("Type"))
        if kind not in ALLOWED:
            self.problem("state-type", "unknown Type", name, expected=", ".join(ALLOWED), got=kind)
            return None
        self.check_fields(name, kind, source)
        fields = Fields(source, name, self.report)
        following = None if kind == "Fail" else self.following(name, kind, source, scope)
        assign = self.assign(fields, source, scope)
        common: dict[str, Any] = {
            "name": name,
            "next": following,
            "output": fields.template("Output"),
            "assign": assign,
        }
        match kind:
            case "Pass":
                return Pass(**common)
            case "Succeed":
                return Succeed(**common)
            case "Fail":
                return Fail(name=name, error=fields.template("Error"), cause=fields.template("Cause"))
            case "Wait":
                return Wait(
                    **common, seconds=fields.template("Seconds"), timestamp=fields.template("Timestamp")
                )
            case "Choice":
                return Choice(**common, rules=tuple(self.rules(fields, source, scope)))
            case _:
                return self.fallible(kind, fields, source, scope, common)

    def fallible(
        self, kind: str, fields: Fields, source: Mapping[str, Any], scope: _Scope, common: dict[str, Any]
    ) -> State | None:
        """A state with Retry and Catch."""
        common |= {
            "retry": tuple(_retrier(fields, retrier) for retrier in fields.objects("Retry", "ErrorEquals")),
            "catch": tuple(self.catchers(fields, source, scope)),
            "arguments": fields.template("Arguments"),
        }
        if kind == "Task":
            return Task(
                **common,
                resource=self.resource(fields.name, source),
                timeout_seconds=fields.template("TimeoutSeconds"),
                heartbeat_seconds=fields.template("HeartbeatSeconds"),
            )
        if kind == "Parallel":
            return Parallel(
                **common, branches=tuple(self.block(b, scope) for b in source.get("Branches") or ())
            )
        processor = source.get("ItemProcessor") or {}
        mode = processor.get("ProcessorConfig", {}).get("Mode", "INLINE")
        if mode != "INLINE":
            self.problem(
                "not-supported", f"a Map of mode {mode} is not run here", fields.name, expected="INLINE"
            )
        return Map(
            **common,
            processor=self.block(processor, scope),
            items=fields.template("Items"),
            selector=fields.template("ItemSelector"),
            max_concurrency=fields.template("MaxConcurrency") or Template(INLINE_MAP_CONCURRENCY),
        )

    def resource(self, name: str, source: Mapping[str, Any]) -> str:
        """The resource without the ARN's head; what is called must be an integration."""
        arn = source.get("Resource")
        head, _, call = arn.partition(":::") if isinstance(arn, str) else ("", "", "")
        if not call or not head.startswith("arn:"):
            self.problem(
                "resource",
                "the Resource is not an integration",
                name,
                expected="arn:aws:states:::service:call",
                got=repr(arn),
            )
        return call

    def check_fields(self, name: str, kind: str, source: Mapping[str, Any]) -> None:
        if source.get("QueryLanguage", "JSONata") != "JSONata":
            self.problem("query-language", "only JSONata is run", name, got=str(source["QueryLanguage"]))
        for unknown in source.keys() - ALLOWED[kind]:
            if unknown in FORBIDDEN:
                fix = "use Arguments, Output and Assign"
                self.problem("json-path-field", f"{unknown} belongs to JSONPath mode", name, fix=fix)
            elif unknown in NOT_SUPPORTED:
                self.problem("not-supported", f"{unknown} is not run here", name)
            else:
                self.problem(
                    "field",
                    f"a {kind} has no field {unknown}",
                    name,
                    expected=", ".join(sorted(ALLOWED[kind])),
                )
        for alternatives in REQUIRED.get(kind, ()):
            given = [alternative for alternative in alternatives if alternative in source]
            if len(given) != 1:
                wanted = (
                    "exactly one of " + ", ".join(alternatives) if len(alternatives) > 1 else alternatives[0]
                )
                self.problem("field", f"a {kind} needs {wanted}", name, got=", ".join(given) or "none")

    def following(self, name: str, kind: str, source: Mapping[str, Any], scope: _Scope) -> str | None:
        """Where the state goes on; None at an end."""
        if kind == "Succeed":
            return None
        target = source.get("Default" if kind == "Choice" else "Next")
        if kind != "Choice" and (target is None) == (source.get("End") is not True):
            self.problem("next", "a state has either Next or End", name, got="both" if target else "neither")
        if target is not None:
            self.check_target(name, target, scope)
        return target

    def check_target(self, name: str, target: Any, scope: _Scope) -> None:
        states = scope.source["States"]
        if target not in states:
            fix = "name a state of the same machine or branch"
            self.problem(
                "next",
                "the next state does not exist",
                name,
                expected=_some(states),
                got=repr(target),
                fix=fix,
            )

    def assign(self, fields: Fields, source: Mapping[str, Any], scope: _Scope) -> Template | None:
        """The Assign field of a state, rule or catcher."""
        variables = source.get("Assign")
        if variables is None:
            return None
        if not isinstance(variables, Mapping):
            self.problem("field-value", "Assign is not an object", fields.name, got=repr(variables))
            return None
        scope.assigned.update(variables)
        return fields.compile(variables, "Assign")

    def rules(self, fields: Fields, source: Mapping[str, Any], scope: _Scope) -> Iterator[Rule]:
        for rule in fields.objects("Choices", "Condition", "Next"):
            self.check_target(fields.name, rule["Next"], scope)
            assign = self.assign(fields, rule, scope)
            output = fields.compile(rule["Output"], "Output") if "Output" in rule else None
            condition = fields.compile(rule["Condition"], "Condition")
            yield Rule(condition=condition, next=rule["Next"], output=output, assign=assign)

    def catchers(self, fields: Fields, source: Mapping[str, Any], scope: _Scope) -> Iterator[Catcher]:
        for catcher in fields.objects("Catch", "ErrorEquals", "Next"):
            self.check_target(fields.name, catcher["Next"], scope)
            # Assign of a catcher belongs to the scope of the state, also for a Parallel and a Map.
            assign = self.assign(fields, catcher, scope)
            output = fields.compile(catcher["Output"], "Output") if "Output" in catcher else None
            yield Catcher(
                errors=frozenset(catcher["ErrorEquals"]), next=catcher["Next"], output=output, assign=assign
            )

    def check_variables(self) -> None:
        """An inner scope may not assign a variable of an outer one."""
        for scope in self.scopes:
            for name in scope.assigned:
                if name == "states" or len(name) > NAME_CHARACTERS:
                    self.problem("variable-name", f"{name!r} cannot be the name of a variable")
            outer = scope.parent
            while outer is not None and scope.assigned:
                for name in sorted(scope.assigned & outer.assigned):
                    self.problem(
                        "variable-scope",
                        f"the variable {name!r} is assigned in a branch and in a scope around it",
                        fix="return the value in the branch's Output, or rename one of them",
                    )
                outer = outer.parent


def _retrier(fields: Fields, source: Mapping[str, Any]) -> Retrier:
    ceiling = source.get("MaxDelaySeconds")
    return Retrier(
        errors=frozenset(source["ErrorEquals"]),
        interval_seconds=fields.number(source, "IntervalSeconds", 1, 0),
        max_attempts=int(fields.number(source, "MaxAttempts", 3, 0)),
        backoff_rate=fields.number(source, "BackoffRate", 2.0, 1),
        max_delay_seconds=None if ceiling is None else fields.number(source, "MaxDelaySeconds", 1, 1),
        jitter=source.get("JitterStrategy", "NONE") == "FULL",
    )


def _some(names: Mapping[str, Any]) -> str:
    """The first few names, for a message."""
    few = list(names)[:5]
    return ", ".join(few) + (", …" if len(names) > len(few) else "")


def _every_state_says_jsonata(source: Mapping[str, Any]) -> bool:
    states = source.get("States")
    return (
        isinstance(states, Mapping)
        and bool(states)
        and all(
            isinstance(state, Mapping) and state.get("QueryLanguage") == "JSONata"
            for state in states.values()
        )
    )

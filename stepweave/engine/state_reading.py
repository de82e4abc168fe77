"""One state of a definition: its fields checked, its templates compiled, its branches opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.engine.failures import ALL
from stepweave.engine.fields import ALLOWED, FORBIDDEN, NOT_SUPPORTED, REQUIRED, Fields, Report, some
from stepweave.engine.machine import (
    Block,
    Catcher,
    Choice,
    Fail,
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

NAME_CHARACTERS = 80
"""Longest state name and variable name: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""

INLINE_MAP_CONCURRENCY = 40
"""Iterations of an inline Map at once: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html."""


@dataclass(slots=True, kw_only=True)
class Scope:
    """A block being read: its source, and which variables its states assign."""

    states: Mapping[str, Any]
    block: Block
    parent: Scope | None
    assigned: set[str] = field(default_factory=set)


class StateReader:
    """Reads the states of one block."""

    def __init__(self, report: Report, scope: Scope, open_block: Callable[[Any, Scope], Block]) -> None:
        """``open_block`` gives the block of a branch, whose states are read later."""
        self._report = report
        self._scope = scope
        self._open_block = open_block

    def state(self, name: str, source: Any) -> State | None:
        """The state; None, and a problem, when its type is unknown."""
        kind = str(source.get("Type")) if isinstance(source, Mapping) else type(source).__name__
        if kind not in ALLOWED:
            self._report.problem("state-type", "unknown Type", name, expected=", ".join(ALLOWED), got=kind)
            return None
        self._check_fields(name, kind, source)
        fields = Fields(source, name, self._report)
        if kind == "Fail":
            return Fail(name=name, error=fields.template("Error"), cause=fields.template("Cause"))
        common: dict[str, Any] = {
            "name": name,
            "next": self._following(name, kind, source),
            "output": fields.template("Output"),
            "assign": self._assign(fields, source),
        }
        match kind:
            case "Pass":
                return Pass(**common)
            case "Succeed":
                return Succeed(**common)
            case "Wait":
                return Wait(
                    **common, seconds=fields.seconds("Seconds", 0), timestamp=fields.template("Timestamp")
                )
            case "Choice":
                return Choice(**common, rules=tuple(self._rules(fields)))
        common["retry"] = tuple(self._retriers(fields))
        common["catch"] = tuple(self._catchers(fields))
        common["arguments"] = fields.template("Arguments")
        match kind:
            case "Task":
                return self._task(fields, common)
            case "Parallel":
                blocks = tuple(self._open_block(branch, self._scope) for branch in fields.array("Branches"))
                return Parallel(**common, branches=blocks)
            case _:
                return self._map(fields, common)

    def _task(self, fields: Fields, common: dict[str, Any]) -> Task:
        arn = fields.source.get("Resource")
        head, _, call = arn.partition(":::") if isinstance(arn, str) else ("", "", "")
        if not call or not head.startswith("arn:"):
            expected = "arn:aws:states:::service:call"
            self._report.problem(
                "resource",
                "the Resource is not an integration",
                fields.name,
                expected=expected,
                got=repr(arn),
            )
        return Task(
            **common,
            resource=call,
            timeout_seconds=fields.seconds("TimeoutSeconds", 1),
            heartbeat_seconds=fields.seconds("HeartbeatSeconds", 1),
        )

    def _map(self, fields: Fields, common: dict[str, Any]) -> Map:
        processor = fields.source.get("ItemProcessor")
        config = processor.get("ProcessorConfig") if isinstance(processor, Mapping) else None
        mode = config.get("Mode", "INLINE") if isinstance(config, Mapping) else "INLINE"
        if mode != "INLINE":
            what = f"a Map of mode {mode} is not run here"
            self._report.problem("not-supported", what, fields.name, expected="INLINE")
        return Map(
            **common,
            processor=self._open_block(processor, self._scope),
            items=fields.template("Items"),
            selector=fields.template("ItemSelector"),
            max_concurrency=fields.template("MaxConcurrency") or Template(INLINE_MAP_CONCURRENCY),
        )

    def _check_fields(self, name: str, kind: str, source: Mapping[str, Any]) -> None:
        if source.get("QueryLanguage", "JSONata") != "JSONata":
            self._report.problem(
                "query-language", "only JSONata is run", name, got=str(source["QueryLanguage"])
            )
        for unknown in source.keys() - ALLOWED[kind]:
            if unknown in FORBIDDEN:
                fix = "use Arguments, Output and Assign"
                self._report.problem("json-path-field", f"{unknown} belongs to JSONPath mode", name, fix=fix)
            elif unknown in NOT_SUPPORTED:
                self._report.problem("not-supported", f"{unknown} is not run here", name)
            else:
                known = ", ".join(sorted(ALLOWED[kind]))
                self._report.problem("field", f"a {kind} has no field {unknown}", name, expected=known)
        for alternatives in REQUIRED.get(kind, ()):
            given = [alternative for alternative in alternatives if alternative in source]
            if len(given) != 1:
                wanted = " or ".join(alternatives)
                self._report.problem(
                    "field", f"a {kind} needs {wanted}", name, got=" and ".join(given) or "none"
                )

    def _following(self, name: str, kind: str, source: Mapping[str, Any]) -> str | None:
        """The state after this one; None at an end."""
        if kind == "Succeed":
            return None
        target = source.get("Default" if kind == "Choice" else "Next")
        if kind != "Choice" and (target is None) == (source.get("End") is not True):
            got = "both" if target else "neither"
            self._report.problem("next", "a state has either Next or End", name, got=got)
        return None if target is None else self._target(name, target)

    def _target(self, name: str, target: Any) -> str:
        """The name of a following state, which must be in this block."""
        if not isinstance(target, str) or target not in self._scope.states:
            what = "the next state does not exist in the same machine or branch"
            self._report.problem("next", what, name, expected=some(self._scope.states), got=repr(target))
        return str(target)

    def _assign(self, fields: Fields, source: Mapping[str, Any]) -> Template | None:
        """The Assign field of a state, rule or catcher; a catcher's belongs to the scope around a Parallel or Map."""
        variables = source.get("Assign")
        if variables is None:
            return None
        if not isinstance(variables, Mapping):
            self._report.problem("field-value", "Assign is not an object", fields.name, got=repr(variables))
            return None
        self._scope.assigned.update(variables)
        return fields.compile(variables, "Assign")

    def _rules(self, fields: Fields) -> Iterator[Rule]:
        for rule in fields.objects("Choices", "Condition", "Next"):
            yield Rule(
                condition=fields.compile(rule["Condition"], "Condition"),
                next=self._target(fields.name, rule["Next"]),
                output=fields.compile(rule["Output"], "Output") if "Output" in rule else None,
                assign=self._assign(fields, rule),
            )

    def _catchers(self, fields: Fields) -> Iterator[Catcher]:
        for catcher in fields.objects("Catch", "ErrorEquals", "Next"):
            yield Catcher(
                errors=self._errors(fields, "Catch", catcher),
                next=self._target(fields.name, catcher["Next"]),
                output=fields.compile(catcher["Output"], "Output") if "Output" in catcher else None,
                assign=self._assign(fields, catcher),
            )

    def _retriers(self, fields: Fields) -> Iterator[Retrier]:
        for retrier in fields.objects("Retry", "ErrorEquals"):
            ceiling = retrier.get("MaxDelaySeconds")
            yield Retrier(
                errors=self._errors(fields, "Retry", retrier),
                interval_seconds=fields.number(retrier, "IntervalSeconds", 1, 0),
                max_attempts=int(fields.number(retrier, "MaxAttempts", 3, 0)),
                backoff_rate=fields.number(retrier, "BackoffRate", 2.0, 1),
                max_delay_seconds=None
                if ceiling is None
                else fields.number(retrier, "MaxDelaySeconds", 1, 1),
                jitter=retrier.get("JitterStrategy", "NONE") == "FULL",
            )

    def _errors(self, fields: Fields, where: str, source: Mapping[str, Any]) -> frozenset[str]:
        """The names of an ErrorEquals list."""
        names = source["ErrorEquals"]
        if (
            not isinstance(names, list | tuple)
            or not names
            or not all(isinstance(name, str) for name in names)
        ):
            what = f"ErrorEquals in {where} is not a list of error names"
            self._report.problem("field-value", what, fields.name, got=repr(names))
            return frozenset()
        last = fields.source[where][-1] is source
        if ALL in names and (len(names) > 1 or not last):
            what = f"{ALL} in {where} is not alone and last"
            self._report.problem(
                "error-equals", what, fields.name, fix="give it an entry of its own, at the end"
            )
        return frozenset(names)

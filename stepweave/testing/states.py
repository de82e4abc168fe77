"""`run_state`: one state alone, as Step Functions' TestState runs it, but here.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from stepweave.engine.history import Record
from stepweave.engine.objects import Objects
from stepweave.engine.templates import is_expression
from stepweave.errors import UsageError
from stepweave.standalone.definitions import definition_of
from stepweave.standalone.tracing import Call
from stepweave.testing.running import DefinitionLike, run_machine
from stepweave.testing.runs import MachineRun

StateStatus: TypeAlias = Literal["SUCCEEDED", "CAUGHT_ERROR", "FAILED"]

_SET_UP = "run_state sets variables"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRun:
    """What one state did."""

    status: StateStatus
    """``CAUGHT_ERROR`` when the state failed and one of its catchers took the error."""
    next: str | None
    """The state that follows; None when this one ends the machine or branch, or failed."""
    output: Any
    """What the next state gets; None when the state failed."""
    variables: dict[str, Any]
    """What the state assigned."""
    error: str | None
    """Name of the error, also of one that was caught."""
    cause: str | None
    calls: tuple[Call, ...]
    """Every attempt, retries included, also of states inside."""
    run: MachineRun
    """The execution behind it: its history, its report."""

    @property
    def result(self) -> Any:
        """What the last call gave, before ``Output``; None when there was none."""
        return self.calls[-1].result if self.calls else None

    @property
    def elapsed(self) -> float:
        """Seconds from start to end: waits and retries count, whatever the test took."""
        return self.run.elapsed


def run_state(
    definition: DefinitionLike,
    state: str,
    input: Any = None,
    *,
    variables: Mapping[str, Any] | None = None,
    fakes: Mapping[str, Any] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    machines: Mapping[str, DefinitionLike] | None = None,
    substitutions: Mapping[str, str] | None = None,
    objects: Objects | None = None,
    seed: int = 0,
) -> StateRun:
    """What ``state`` of ``definition`` does with ``input``, at whatever depth it stands; retries take no time.

    ``variables`` have these values when the state is entered; the rest is as for ``run_machine``. Raises
    ``UsageError`` when the definition has no such state.
    """
    found = definition_of(definition)
    alone = _alone(found.source, state, variables or {})
    run = run_machine(
        replace(found, source=alone),
        input=input,
        fakes=fakes,
        functions=functions,
        machines=machines,
        substitutions=substitutions,
        objects=objects,
        seed=seed,
    )
    return _state_run(run, state)


def _state_run(run: MachineRun, state: str) -> StateRun:
    records = [record for record in run.execution.history.records() if record[-1] == 0]
    exited = next(
        (record for record in records if record[0].endswith("StateExited") and record[3] == state), None
    )
    failure = _failure(records, state)
    calls = tuple(run.calls)
    if exited is None:
        return StateRun(
            status="FAILED",
            next=None,
            output=None,
            variables={},
            error=run.error,
            cause=run.cause,
            calls=calls,
            run=run,
        )
    following = run.path[run.path.index(state) + 1 :]
    error, cause = failure or (None, None)
    return StateRun(
        status="CAUGHT_ERROR" if failure else "SUCCEEDED",
        next=following[0] if following else None,
        output=exited[4],
        variables=dict(exited[5][0] or {}),
        error=error,
        cause=cause,
        calls=calls,
        run=run,
    )


def _failure(records: list[Record], state: str) -> tuple[str | None, str | None] | None:
    """Error and cause of the state's last attempt, if that failed."""
    failure: tuple[str | None, str | None] | None = None
    inside = False
    for kind, _, _, name, data, *_ in records:
        if kind.endswith(("StateEntered", "StateExited")):
            inside = kind.endswith("StateEntered") and name == state
        elif inside and kind.endswith(("Failed", "TimedOut")):
            failure = (data[0], data[1])
        elif inside and kind.endswith("Succeeded"):
            failure = None
    return failure


def _alone(source: Mapping[str, Any], name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that enters ``name`` first, and ends where it leads."""
    states = dict(_states(source))
    if name not in states:
        raise UsageError(
            f"the definition has no state {name!r}; it has: {', '.join(map(repr, states)) or 'none'}"
        )
    body = states[name]
    alone: dict[str, Any] = {
        "QueryLanguage": source.get("QueryLanguage", "JSONPath"),
        "StartAt": name,
        "States": {
            name: body,
            **{target: {"Type": "Succeed"} for target in _targets(body) if target != name},
        },
    }
    if variables:
        assign = {key: _literal(value) for key, value in variables.items()}
        alone["States"][_SET_UP] = {"Type": "Pass", "Assign": assign, "Next": name}
        alone["StartAt"] = _SET_UP
    return alone


def _states(source: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every state of a definition by name, those of branches and processors too."""
    pending: list[Any] = [source]
    while pending:
        block = pending.pop()
        states = block.get("States") if isinstance(block, Mapping) else None
        for name, body in states.items() if isinstance(states, Mapping) else ():
            if isinstance(body, Mapping):
                yield name, body
                pending += [*(body.get("Branches") or ()), body.get("ItemProcessor")]


def _targets(body: Mapping[str, Any]) -> list[str]:
    """The states that a state may lead to."""
    ways = [body, *(body.get("Choices") or ()), *(body.get("Catch") or ())]
    names = [way.get("Next") for way in ways if isinstance(way, Mapping)]
    return [name for name in dict.fromkeys([*names, body.get("Default")]) if isinstance(name, str)]


def _literal(value: Any) -> Any:
    """A value as a field of a definition that gives just this value: text that looks like an expression is quoted."""
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_literal(item) for item in value]
    return f"{{% {json.dumps(value)} %}}" if is_expression(value) else value

"""`run_state`: one state alone, as Step Functions' TestState runs it, but here.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, TypedDict

from stepweave.engine.history import Record
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.standalone.definitions import definition_of
from stepweave.standalone.tracing import Call
from stepweave.testing.alone import AGAIN, alone_in, states_of
from stepweave.testing.buckets import BucketsLike
from stepweave.testing.running import DefinitionLike, run_machine
from stepweave.testing.runs import MachineRun

StateStatus: TypeAlias = Literal["SUCCEEDED", "CAUGHT_ERROR", "FAILED"]


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


class StateOptions(TypedDict, total=False):
    """The options of :func:`run_state`, for those who hand them on."""

    variables: Mapping[str, Any] | None
    fakes: Mapping[str, Any] | None
    functions: Mapping[str, Callable[..., Any]] | None
    machines: Mapping[str, DefinitionLike] | None
    substitutions: Mapping[str, str] | None
    buckets: BucketsLike | None
    services: AwsServices | None
    seed: int


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
    buckets: BucketsLike | None = None,
    services: AwsServices | None = None,
    seed: int = 0,
) -> StateRun:
    """What ``state`` of ``definition`` does with ``input``, at whatever depth it stands; retries take no time.

    ``variables`` have these values when the state is entered; the rest is as for ``run_machine``, but that fakes of
    other states are ignored. Raises ``UsageError`` when the definition has no such state.
    """
    found = definition_of(definition)
    alone = alone_in(found.source, state, variables or {})
    names = set(states_of(found.source)) - set(states_of(alone))
    run = run_machine(
        replace(found, source=alone),
        input,
        fakes={key: fake for key, fake in (fakes or {}).items() if key not in names},
        functions=functions,
        machines=machines,
        substitutions=substitutions,
        buckets=buckets,
        services=services,
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
    following = [state if name == AGAIN else name for name in run.path[run.path.index(state) + 1 :]]
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


def _failure(records: Sequence[Record], state: str) -> tuple[str | None, str | None] | None:
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

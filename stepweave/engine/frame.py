"""`Frame`: one line of states as it runs, its variables, and what expressions in it may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

from stepweave.engine import payload
from stepweave.engine.events import Event, Kind, Listener
from stepweave.engine.execution import ROLE_ARN, Execution, machine_arn
from stepweave.engine.failures import DATA_LIMIT_EXCEEDED, QUERY_EVALUATION_ERROR, StateError
from stepweave.engine.jsonata import UNDEFINED
from stepweave.engine.machine import Block, Map, Parallel, State, Task
from stepweave.engine.templates import Template, TemplateError

VARIABLES_BYTES = 10_485_760
"""All variables of an execution: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html."""


class Run:
    """What the lines of one execution share."""

    __slots__ = ("execution", "generator", "inexact", "listeners", "now", "variable_bytes")

    def __init__(
        self,
        execution: Execution,
        now: Callable[[], float],
        generator: Random,
        listeners: tuple[Listener, ...],
        inexact: bool,
    ) -> None:
        self.execution = execution
        self.now = now
        self.listeners = listeners
        self.generator = generator
        self.inexact = inexact
        """Whether numbers may have entered that JSONata would change; plain paths are not walked in Python then."""
        self.variable_bytes = 0


class Frame:
    """A block that runs. It is the :class:`~stepweave.engine.jsonata.Values` of the state it is in."""

    __slots__ = (
        "block",
        "entered_at",
        "error_output",
        "input",
        "last_event",
        "map_item",
        "parent",
        "result",
        "retry_count",
        "run",
        "sizes",
        "state",
        "token",
        "variables",
    )

    state: State
    result: Any
    error_output: Any
    token: str | None

    def __init__(
        self,
        run: Run,
        block: Block,
        value: Any,
        last_event: int,
        parent: Frame | None = None,
        map_item: Any = None,
    ) -> None:
        self.run = run
        self.block = block
        self.input = value
        self.last_event = last_event
        self.parent = parent
        self.map_item = map_item
        self.variables: dict[str, Any] = {}
        self.sizes: dict[str, int] = {}

    def enter(self, state: State, value: Any) -> None:
        """Begin a state with its input."""
        self.state = state
        self.input = value
        self.result = UNDEFINED
        self.error_output = UNDEFINED
        self.token = None
        self.retry_count = 0
        self.entered_at = self.run.now()

    def evaluate(self, template: Template) -> Any:
        """The value of a template; raises ``States.QueryEvaluationError``."""
        try:
            return template.evaluate(self)
        except TemplateError as error:
            data = (QUERY_EVALUATION_ERROR, str(error))
            history = self.run.execution.history
            self.last_event = history.record(
                "EvaluationFailed", self.last_event, self.state.name, data, error.where
            )
            raise StateError(*data) from error

    def tell(self, kind: Kind, **fields: Any) -> None:
        """Tell the listeners what happens in the state."""
        execution = self.run.execution
        event = Event(
            kind=kind,
            at=self.run.now(),
            execution=execution.name,
            machine=execution.machine,
            state=self.state.name,
            attempt=self.retry_count,
            **fields,
        )
        for listener in self.run.listeners:
            listener(event)

    def assign(self, variables: Mapping[str, Any]) -> None:
        """Set variables of this scope; raises ``States.DataLimitExceeded`` when they grow too large."""
        for name, value in variables.items():
            size = payload.check(value, f"The variable {name!r}")
            self.run.variable_bytes += size - self.sizes.get(name, 0)
            self.sizes[name] = size
        if self.run.variable_bytes > VARIABLES_BYTES:
            raise StateError(
                DATA_LIMIT_EXCEEDED, f"The variables have more than the maximum of {VARIABLES_BYTES} bytes."
            )
        self.variables.update(variables)

    def leave(self) -> None:
        """End the block: its variables are gone."""
        if self.sizes:
            self.run.variable_bytes -= sum(self.sizes.values())

    def variable(self, name: str) -> Any:
        frame: Frame | None = self
        while frame is not None:
            if name in frame.variables:
                return frame.variables[name]
            frame = frame.parent
        return UNDEFINED

    def states(self, field: str) -> Any:
        match field:
            case "input":
                return self.input
            case "result":
                return self.result
            case "errorOutput":
                return self.error_output
            case "context":
                return self.context()
        return UNDEFINED

    @property
    def inexact(self) -> bool:
        return self.run.inexact

    @property
    def generator(self) -> Random:
        return self.run.generator

    def now(self) -> float:
        return self.run.now()

    def context(self) -> dict[str, Any]:
        """``$states.context``: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html."""
        execution = self.run.execution
        context: dict[str, Any] = {
            "Execution": {
                "Id": execution.arn,
                "Input": execution.input,
                "Name": execution.name,
                "RoleArn": ROLE_ARN,
                "StartTime": timestamp(execution.started_at),
                "RedriveCount": 0,
            },
            "State": {"EnteredTime": timestamp(self.entered_at), "Name": self.state.name},
            "StateMachine": {"Id": machine_arn(execution.machine), "Name": execution.machine},
        }
        if isinstance(self.state, Task | Parallel | Map):
            context["State"]["RetryCount"] = self.retry_count
        if self.token is not None:
            context["Task"] = {"Token": self.token}
        frame: Frame | None = self
        while frame is not None:
            if frame.map_item is not None:
                context["Map"] = {"Item": frame.map_item}
                break
            frame = frame.parent
        return context


def timestamp(at: float) -> str:
    """Seconds since the epoch as Step Functions writes a time: ``2026-01-01T00:00:00.000Z``."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

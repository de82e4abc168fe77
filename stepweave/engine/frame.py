"""`Frame`: one line of states as it runs, its variables, and what expressions in it may read."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from random import Random
from typing import Any

from stepweave.engine import payload
from stepweave.engine.clock import timestamp
from stepweave.engine.events import Event, Kind
from stepweave.engine.failures import DATA_LIMIT_EXCEEDED, QUERY_EVALUATION_ERROR, StateError
from stepweave.engine.history import ENTERED
from stepweave.engine.jsonata import UNDEFINED
from stepweave.engine.machine import Block, Map, Parallel, State, Task
from stepweave.engine.positions import Position
from stepweave.engine.run import Run
from stepweave.engine.templates import Template, TemplateError

VARIABLES_BYTES = 10_485_760
"""All variables of an execution: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html."""


class Group:
    """Lines side by side: the branches of a Parallel, the iterations of a Map."""

    __slots__ = ("failed", "free_events")

    def __init__(self) -> None:
        self.failed: Frame | None = None
        """The first line that failed; the others are cut off."""
        self.free_events: list[int] = []
        """The last events of lines that ended, each followed by the next line's first."""


class Frame:
    """A line of states that runs. It is the :class:`~stepweave.engine.jsonata.Values` of the state it is in."""

    __slots__ = (
        "block",
        "entered_at",
        "entered_event",
        "error_output",
        "group",
        "input",
        "last_event",
        "line",
        "map_item",
        "parent",
        "position",
        "result",
        "retry_count",
        "run",
        "sizes",
        "state",
        "tail",
        "token",
        "variables",
    )

    state: State
    result: Any
    error_output: Any
    token: str | None
    entered_at: float
    entered_event: int
    retry_count: int

    def __init__(
        self,
        run: Run,
        block: Block,
        value: Any,
        *,
        line: int = 0,
        last_event: int = 0,
        parent: Frame | None = None,
        group: Group | None = None,
        map_item: Any = None,
        position: Position | None = None,
    ) -> None:
        """``position``: where the line was when the execution was left, to go on from there."""
        self.run = run
        self.block = block
        self.input = value
        self.line = line
        self.last_event = self.tail = last_event
        self.parent = parent
        self.group = group
        self.map_item = map_item
        self.variables: dict[str, Any] = {}
        self.sizes: dict[str, int] = {}
        self.position = position
        if position is not None:
            self.last_event = self.tail = position.last_event
            self.assign(position.variables)

    def enter(self, state: State, value: Any) -> None:
        """Begin a state with its input."""
        self.state = state
        self.input = value
        self.result = UNDEFINED
        self.error_output = UNDEFINED
        self.token = None
        self.retry_count = 0
        self.entered_at = self.run.now()
        self.position = None
        history = self.run.execution.history
        self.entered_event = self.last_event = self.tail = history.record(
            ENTERED[type(state)], self.last_event, state.name, value, None, self.line
        )

    def enter_again(self, state: State, position: Position) -> None:
        """Be in a state that was entered before the execution was left."""
        self.state = state
        self.input = position.value
        self.result = UNDEFINED
        self.error_output = UNDEFINED
        self.token = None
        self.retry_count = position.retry_count
        self.entered_at = position.entered_at
        self.entered_event = position.entered_event
        self.position = position

    def record(self, kind: str, data: Any = None, more: Any = None, name: str | None = None) -> int:
        """The id of a new event of this line."""
        history = self.run.execution.history
        self.last_event = self.tail = history.record(kind, self.last_event, name, data, more, self.line)
        return self.last_event

    def record_aside(self, kind: str, data: Any = None, name: str | None = None) -> None:
        """Record an event that the line does not go on from, as far as ``previousEventId`` tells (docs/parity.md)."""
        self.tail = self.run.execution.history.record(kind, self.tail, name, data, None, self.line)

    def aborted(self) -> None:
        """Record, if there is room, that the line was cut off since another one beside it failed."""
        frame: Frame | None = self
        while frame is not None and (frame.group is None or frame.group.failed is None):
            frame = frame.parent
        if frame is None:
            return  # stopped from outside, of which AWS records nothing
        assert frame.group is not None
        assert frame.group.failed is not None
        self.tail = frame.group.failed.last_event
        with contextlib.suppress(StateError):
            if self.group is not None and self.map_item is not None and self.parent is not None:
                self._record_beside("MapIterationAborted", self.map_item["Index"], self.parent.state.name)
            if self.started:
                self._record_beside(f"{type(self.state).__name__}StateAborted")

    def _record_beside(self, kind: str, data: Any = None, name: str | None = None) -> None:
        self.run.execution.history.record(kind, self.tail, name, data, None, self.line)

    @property
    def started(self) -> bool:
        """Whether the line has been in a state."""
        return getattr(self, "state", None) is not None

    def stand_in(self, outer: Frame) -> None:
        """Read what ``outer`` reads, before this line has a state of its own."""
        self.state, self.input, self.result = outer.state, outer.input, UNDEFINED
        self.error_output, self.token, self.retry_count = UNDEFINED, None, outer.retry_count
        self.entered_at, self.entered_event = outer.entered_at, outer.entered_event

    def evaluate(self, template: Template) -> Any:
        """The value of a template; raises ``States.QueryEvaluationError``."""
        try:
            return template.evaluate(self)
        except TemplateError as error:
            raise self.failed_evaluation(error.where, str(error)) from error

    def failed_evaluation(self, field: str, text: str) -> StateError:
        """The error of a field that cannot be evaluated, recorded."""
        error = StateError(QUERY_EVALUATION_ERROR, self.cause(text))
        self.record("EvaluationFailed", (error.error, error.cause), field, self.state.name)
        return error

    def unexpected_type(self, field: str, template: Template | None, expected: str, got: Any) -> StateError:
        """The error of a field whose value is of the wrong type, recorded."""
        source = template.text if template is not None else "$states.input"
        return self.failed_evaluation(
            field,
            f"The JSONata expression '{source}' specified for the field '{field}' returned an unexpected result type. "
            f"Expected '{expected}', but was '{payload.type_name(got)}' for value: {payload.to_text(got)}",
        )

    def cause(self, text: str) -> str:
        """``text`` after the words with which AWS begins the cause of what goes wrong inside a state."""
        state = f"the state '{self.state.name}' (entered at the event id #{self.entered_event})"
        return f"An error occurred while executing {state}. {text}"

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
            line=self.line,
            variable=self.variable,
            **fields,
        )
        for listener in self.run.listeners:
            listener(event)

    def assign(self, variables: Mapping[str, Any]) -> None:
        """Set variables of this scope; raises ``States.DataLimitExceeded`` when they grow too large."""
        for name, value in variables.items():
            size = payload.check(value, self.state.name if self.position is None else name)
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
                "RoleArn": execution.place.role_arn,
                "StartTime": timestamp(execution.started_at),
            },
            "State": {"EnteredTime": timestamp(self.entered_at), "Name": self.state.name},
            "StateMachine": {"Id": execution.machine_arn, "Name": execution.machine},
        }
        if not execution.express:
            context["Execution"]["RedriveCount"] = execution.redrive_count
        if execution.redriven_at is not None:
            context["Execution"]["RedriveTime"] = timestamp(execution.redriven_at)
        if isinstance(self.state, Task | Parallel | Map):
            context["State"]["RetryCount"] = self.retry_count
        if self.token is not None:
            context["Task"] = {"Token": self.token}
        if self.map_item is not None and self.parent is not None and self.state is self.parent.state:
            context["Map"] = {"Item": self.map_item}  # for the ItemSelector, and nowhere else
        return context

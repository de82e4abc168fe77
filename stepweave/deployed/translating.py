"""`Translator`: the history of an execution on AWS, as the events that our engine tells of the same execution.

    GetExecutionHistory ──Translator──▶ engine events ──Watcher──▶ task runs

Who listens then need not know where a run went on. An engine knows what follows a failed attempt, and which state
follows another, at once; here that is what the next event of the line says. Until it is there, what depends on it is
held back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stepweave.deployed.engine_calls import as_engine_calls
from stepweave.deployed.lines import ENTERED, EXITED, Lines
from stepweave.engine.events import Event, Kind

_FAILED = frozenset({"TaskFailed", "TaskTimedOut", "TaskStartFailed", "TaskSubmitFailed"})
_ENDS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionAborted": "ABORTED",
    "ExecutionTimedOut": "TIMED_OUT",
}
Sink = Callable[[Event], None]


class Translator:
    """Tells the events of one execution, in order."""

    def __init__(
        self, execution: str, machine: str, env: str, tell: Sink, settle: Callable[[int], None]
    ) -> None:
        """``tell`` takes each event; ``settle`` a line of which is told now what followed a failure, if anything."""
        self.execution, self._machine, self._env = execution, machine, env
        self._tell, self._settle = tell, settle
        self._lines = Lines()
        self._attempts: dict[int, int] = {}
        """Attempts that each line's state has begun."""
        self._resources: dict[int, str] = {}
        self._held: dict[int, Mapping[str, Any]] = {}
        """The last event of each line of which it is not known what follows."""
        self._failed: set[int] = set()
        """Lines whose latest attempt failed, until it is known what follows."""
        self.last_event = 0
        """Id of the latest event told."""
        self.ended = False
        self._at = 0.0

        self._waiting: tuple[frozenset[int], frozenset[int]] = frozenset(), frozenset()
        """The lines of which something was held back at the end of the look before."""

    def look_over(self) -> None:
        """All events that there are now have been told."""
        if not self.ended:
            self._release(*self._waiting)
            self._waiting = frozenset(self._held), frozenset(self._failed)

    def feed(self, event: Mapping[str, Any]) -> None:
        """Tell of the next event of the history."""
        kind, line = str(event["type"]), self._lines.of(event)
        self.last_event, self._at = int(event["id"]), event["timestamp"].timestamp()
        details = details_of(event)
        if kind in _ENDS:
            self._end(details, _ENDS[kind])
            return
        self._follow(kind, line, event)
        if kind.endswith(ENTERED):
            self._attempts[line] = 0
        elif kind.endswith(EXITED):
            self._held[line] = event
        elif kind in _FAILED:
            error = details.get("error") or ("States.Timeout" if kind == "TaskTimedOut" else "")
            self._failed.add(line)
            self._say("task_failed", line, error=error, cause=details.get("cause"))
        else:
            self._tell_of(kind, line, details)

    def _tell_of(self, kind: str, line: int, details: Mapping[str, Any]) -> None:
        """Tell what needs nothing else to be understood."""
        match kind:
            case "ExecutionStarted":
                self._say("execution_started", 0, data=json_of(details.get("input")))
            case "TaskScheduled":
                self._scheduled(line, details)
            case "TaskStarted":
                self._say("task_started", line, resource=self._resources.get(line))
            case "TaskSucceeded":
                output = json_of(details.get("output"))
                self._say("task_succeeded", line, resource=self._resources.get(line), data=output)
            case _:
                pass

    def _scheduled(self, line: int, details: Mapping[str, Any]) -> None:
        resource = f"{details['resourceType']}:{details['resource']}"
        arguments = as_engine_calls(resource, json_of(details.get("parameters")), self._env)
        attempt = self._attempts.get(line, 0)
        self._attempts[line], self._resources[line] = attempt + 1, resource
        self._say("task_scheduled", line, resource=resource, data=arguments, attempt=attempt)

    def _follow(self, kind: str, line: int, event: Mapping[str, Any]) -> None:
        """What ``event`` says of how the line went on that it follows."""
        held = self._held.pop(line, None)
        if held is not None:
            is_next = kind.endswith(ENTERED) and event.get("previousEventId") == held["id"]
            self._exited(held, line, self._entered(event) if is_next else None)
        if line in self._failed:
            self._failed.discard(line)
            if kind == "TaskScheduled":
                self._say("task_retrying", line)
            elif not kind.endswith(EXITED):  # what follows that is told with the exit
                self._settle(line)

    def _release(self, exits: Iterable[int], failures: Iterable[int]) -> None:
        """Tell what was held back at an earlier look already: nothing follows, or not soon."""
        for line in exits:
            if line in self._held:
                self._exited(self._held.pop(line), line, None)
        for line in failures:
            if line in self._failed:
                self._failed.discard(line)
                self._say("task_retrying", line)

    def _end(self, details: Mapping[str, Any], status: str) -> None:
        for line, held in self._held.items():
            self._exited(held, line, None)
        for line in self._failed:
            self._settle(line)
        self._held.clear()
        self._failed.clear()
        self.ended = True
        self._say(
            "execution_ended",
            0,
            status=status,
            error=details.get("error"),
            cause=details.get("cause"),
            data=json_of(details.get("output")),
        )

    def _exited(self, event: Mapping[str, Any], line: int, following: str | None) -> None:
        details = event["stateExitedEventDetails"]
        state, data = str(details["name"]), json_of(details.get("output"))
        self._say("state_exited", line, state=state, data=data, following=following)
        self._settle(line)

    def _say(self, kind: Kind, line: int, **fields: Any) -> None:
        state = fields.pop("state", self._lines.state(line))
        self._tell(
            Event(
                kind=kind,
                at=self._at,
                execution=self.execution,
                machine=self._machine,
                line=line,
                state=state,
                **fields,
            )
        )

    @staticmethod
    def _entered(event: Mapping[str, Any]) -> str:
        return str(event["stateEnteredEventDetails"]["name"])


def details_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The details of an event, whatever the member is called that has them."""
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {})


def json_of(text: Any) -> Any:
    """The value of JSON text; anything else as it is."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text

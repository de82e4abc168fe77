"""An ended execution as people read it, and as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.cli.answer import to_json
from stepweave.cli.execution.order import Order
from stepweave.cli.progress.words import count, duration
from stepweave.cli.screen import paint
from stepweave.engine.execution import Execution
from stepweave.engine.operations import why_not_redrivable
from stepweave.standalone.causes import message_and_trace
from stepweave.standalone.hints import hint_for
from stepweave.standalone.tracing import Trace, calls_of

MAX_CAUSE_LINES = 40
"""Lines of a cause that are shown; ``--json`` has it all."""
MAX_EVENT_TEXT = 200
"""Characters of an event's details on a line of ``--history``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is told of."""

    execution: Execution
    executions: Mapping[str, Execution]
    """All of the run by name: nested ones and children of distributed maps too."""
    wall_seconds: float
    """How long the command waited for it, whatever its own clock says."""
    now: float
    """The time by its own clock, in seconds since the epoch."""


def to_object(ended: Ended, *, history: bool) -> dict[str, Any]:
    """The JSON object of ``stepweave execute --json``."""
    execution = ended.execution
    trace = Trace(execution)
    found: dict[str, Any] = {
        "name": execution.name,
        "machine": execution.machine,
        "status": execution.status,
        "input": execution.input,
    }
    if execution.status == "SUCCEEDED":
        found["output"] = execution.output
    else:
        found |= {"error": execution.error, "cause": execution.cause, "failed_at": trace.where()}
    found |= {
        "started_at": execution.started_at,
        "stopped_at": execution.stopped_at,
        "wall_seconds": round(ended.wall_seconds, 6),
        "redrives": execution.redrive_count,
        "states": trace.states,
        "calls": [call.to_json() for call in calls_of(ended.executions.values())],
        "events": len(execution.history),
    }
    return {**found, "history": list(execution.history.events())} if history else found


def to_lines(ended: Ended, order: Order) -> list[str]:
    """What people read after the execution: how it ended, its output or its error, and what to do then."""
    execution = ended.execution
    lines = _events(execution) if order.history else []
    succeeded = execution.status == "SUCCEEDED"
    trace = Trace(execution)
    took = (execution.stopped_at or ended.now) - execution.started_at
    where = "" if succeeded or trace.where() is None else f" at {trace.where()}"
    size = f"{count(len(trace.states), 'state')}, {count(len(execution.history), 'event')}"
    headline = f"{'✓' if succeeded else '✗'} {execution.name}: {execution.status} in {duration(took)}{where} ({size})"
    lines.append(paint(headline, "bold green" if succeeded else "bold red"))
    if succeeded:
        return [*lines, to_json(execution.output, indent=2)]
    lines += _failure(execution)
    if order.journal is not None and why_not_redrivable(execution, ended.now) is None:
        lines += ["", f"Go on where it ended: {order.going_on('--redrive', execution.name)}"]
    return lines


def _failure(execution: Execution) -> Iterable[str]:
    """Error, cause and hint; a cause of several lines is indented under its name."""
    error = execution.error or ("States.Timeout" if execution.status == "TIMED_OUT" else None)
    if error is not None:
        yield f"  error  {error}"
    if execution.cause:
        first, *others = _cause(execution.cause)
        yield f"  cause  {first}"
        yield from (f"         {line}".rstrip() for line in others)
    hint = hint_for(error)
    if hint is not None:
        yield f"  hint   {hint}"


def _cause(cause: str) -> list[str]:
    """The lines of a cause; of a function's error the message and where it was raised."""
    cause = "\n".join(message_and_trace(cause))
    lines = cause.strip().splitlines() or [""]
    left_out = len(lines) - MAX_CAUSE_LINES
    return lines if left_out <= 0 else [*lines[:MAX_CAUSE_LINES], f"and {count(left_out, 'more line')}"]


def _events(execution: Execution) -> list[str]:
    """The history, a line per event: id, seconds since the start, type, and the details that fit."""
    lines = []
    for event in execution.history.events():
        details: Any = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
        text = json.dumps(details, ensure_ascii=False) if details else ""
        text = text if len(text) <= MAX_EVENT_TEXT else f"{text[: MAX_EVENT_TEXT - 1]}…"
        at = event["timestamp"] - execution.started_at
        lines.append(f"{event['id']:>6}  {at:>10.3f}  {event['type']:<24}  {text}".rstrip())
    return [*lines, ""]

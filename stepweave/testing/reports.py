"""`report`: what happened in a run, as a failing test shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stepweave.engine.execution import Execution
from stepweave.standalone.causes import message_and_trace
from stepweave.standalone.tracing import Trace

_LAST_EVENTS = 12
_LONGEST_TEXT = 300
_TRACE_LINES = 6


def headline(execution: Execution, trace: Trace) -> str:
    """``orders: FAILED at Each order[2]/Charge card: CardDeclined``."""
    where = None if execution.status == "SUCCEEDED" else trace.where()
    at = f" at {where}" if where else ""
    why = f": {execution.error}" if execution.error else ""
    return f"{execution.machine}: {execution.status}{at}{why}"


def report(execution: Execution, trace: Trace) -> str:
    """Several lines: status, input, error or output, path, and the last events."""
    lines = [headline(execution, trace), f"  input   {_short(execution.input)}"]
    if execution.status == "SUCCEEDED":
        lines.append(f"  output  {_short(execution.output)}")
    if execution.error is not None:
        lines.append(f"  error   {execution.error}")
    for number, line in enumerate(_cause(execution.cause or "")):
        lines.append(f"  {'' if number else 'cause':<8}{line}")
    lines.append(f"  path    {' → '.join(trace.path)}")
    lines.append(f"  last {min(_LAST_EVENTS, len(execution.history))} events")
    return "\n".join([*lines, *_last_events(execution)])


def _cause(cause: str) -> Iterator[str]:
    """The lines of a cause; that of a function is its message and where it was raised."""
    message, trace = message_and_trace(cause)
    if message:
        yield _short_text(message)
    for line in trace.splitlines()[-_TRACE_LINES:]:
        yield f"  {line.rstrip()}"


def _last_events(execution: Execution) -> Iterator[str]:
    records = execution.history.records()
    first = max(0, len(records) - _LAST_EVENTS)
    for number, (kind, _, _, name, data, *_) in enumerate(records[first:], start=first + 1):
        parts = (f"    {number:>5}  {kind}", name, None if data is None else _short(data))
        yield "  ".join(part for part in parts if part)


def _short(value: Any) -> str:
    return _short_text(json.dumps(value, ensure_ascii=False, default=repr))


def _short_text(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"

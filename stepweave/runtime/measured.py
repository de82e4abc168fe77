"""`measured(event, ...)`: one line of the log that says how an attempt ended, with its numbers.

    {"message": "task ended", "env", "dag", "run", "task", "index", "attempt", "status", "error"?,
     "TaskSeconds", "PeakMemoryMiB", "TaskSucceeded" | "TaskFailed" | "TaskSkipped": 1, "TaskRetried"?: 1}

With ``STEPWEAVE_TASK_METRICS=1`` the numbers are metrics too (:mod:`stepweave.runtime.emf`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from stepweave.errors import RetryAfter, Skip
from stepweave.runtime import emf
from stepweave.runtime.attempt import peak_memory_mib
from stepweave.runtime.events import Event, retries_of
from stepweave.runtime.outcome import MachineError

METRICS_VARIABLE = "STEPWEAVE_TASK_METRICS"
_DIMENSIONS = (("env", "dag"), ("env", "dag", "task"))
_OTHER_FORMS = frozenset(
    {"batch", "collect", "commit", "items", "nested", "notice", "prepare", "quorum", "undo"}
)
"""Keys of events that ask for something else than one attempt of one task."""
_CALLBACKS = frozenset({"notice", "undo"})
"""Those of them that call a function of the user's."""
_PUT_OFF = frozenset({"NotYet", "RetryAfter", "RunStopped"})
"""Errors after which the task goes on later, or was never begun."""


def log_keys(event: Event) -> dict[str, Any]:
    """The keys that every line of an attempt's log has."""
    run = event["run"]
    return {
        "dag": run["dag"],
        "run": run["id"],
        "task": event["task"],
        "index": run.get("index", ""),
        "attempt": event.get("attempt", 0),
    }


@contextmanager
def measured(
    event: Event, environment: Mapping[str, str], write_line: Callable[[str], object]
) -> Iterator[None]:
    """Write the line after the block, however that ends; nothing where the event asks for no attempt.

    After a callback or a compensation a line without numbers: it says whose the lines are that those have printed.
    """
    if not _OTHER_FORMS.isdisjoint(event):
        try:
            yield
        finally:
            if not _CALLBACKS.isdisjoint(event):
                said = {"level": "INFO", "message": "callback ended", **log_keys(event)}
                write_line(emf.line({}, said, timestamp_ms=time.time_ns() // 1_000_000))
        return
    start = time.perf_counter()
    failure: BaseException | None = None
    try:
        yield
    except BaseException as error:
        failure = error
        raise
    finally:
        write_line(ended_line(event, environment, time.perf_counter() - start, failure))


def ended_line(
    event: Event, environment: Mapping[str, str], seconds: float, failure: BaseException | None
) -> str:
    """The line of an attempt that took ``seconds``."""
    status, counted = _outcome(failure)
    values: dict[str, float] = {
        "TaskSeconds": round(seconds, 4),
        "PeakMemoryMiB": round(peak_memory_mib(), 1),
    }
    if counted:
        values[counted] = 1
    if retries_of(event) > 0:
        values["TaskRetried"] = 1
    fields = {
        "level": "INFO",
        "message": "task ended",
        "env": environment.get("STEPWEAVE_ENV", ""),
        **log_keys(event),
        "status": status,
    }
    if failure is not None:
        fields["error"] = type(failure).__name__
    return emf.line(
        values,
        fields,
        metrics=dict.fromkeys(_DIMENSIONS, tuple(values))
        if environment.get(METRICS_VARIABLE) == "1"
        else None,
        timestamp_ms=time.time_ns() // 1_000_000,
    )


def _outcome(failure: BaseException | None) -> tuple[str, str]:
    """Status of the attempt, and the count that it adds to; none for an attempt that was put off."""
    if failure is None:
        return "success", "TaskSucceeded"
    if isinstance(failure, Skip):
        return "skipped", "TaskSkipped"
    if isinstance(failure, RetryAfter | MachineError) and type(failure).__name__ in _PUT_OFF:
        return "put off", ""
    return "failed", "TaskFailed"

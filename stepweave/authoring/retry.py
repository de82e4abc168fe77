"""How users say that a failed task is tried again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from stepweave.authoring.units import seconds
from stepweave.graph.model import RetryPolicy

Duration: TypeAlias = "float | str | timedelta"
"""Seconds, text such as ``"30s"`` or ``"6h"``, or a ``timedelta``."""

DEFAULT_CEILING_SECONDS = 300
CLASSES = ("TransientError", "PermanentError", "DataError", "ResourceError")
"""Classes to which every exception of a task belongs."""
NO_FAILURES = ("Skip", "RetryAfter", "NotYet", "RunStopped", "Reused")
"""Names by which a task tells the state machine something else than that it failed."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A retry policy: ``@task(retry=Retry(attempts=5, delay="30s", on=["TransientError", ConnectionError]))``."""

    attempts: int = 3
    """Further attempts after the first."""
    delay: Duration = 5
    """Wait before the first retry."""
    backoff: float = 2.0
    """Factor by which each further wait grows; 1 keeps it the same."""
    max_delay: Duration | None = DEFAULT_CEILING_SECONDS
    """Ceiling of the wait; None for no ceiling."""
    jitter: bool = True
    """Draw each wait evenly from 0 to its length, so that many failed tasks do not come back at once."""
    on: Iterable[str | type[BaseException]] = ("TransientError", "ResourceError")
    """Error classes, or their names, that are retried."""


def policy(retry: Retry) -> RetryPolicy:
    """The policy in its normal form. Raises ``ValueError`` where a part cannot be understood."""
    attempts: object = retry.attempts  # users without a type checker give anything
    backoff: object = retry.backoff
    if not isinstance(attempts, int) or isinstance(attempts, bool):
        raise ValueError("attempts must be a whole number")
    if not isinstance(backoff, (int, float)) or isinstance(backoff, bool):
        raise ValueError("backoff must be a number")
    delay = seconds(retry.delay)
    # A first wait beyond the default ceiling lifts it: nobody asked for that ceiling.
    ceiling = None if retry.max_delay == DEFAULT_CEILING_SECONDS <= delay else retry.max_delay
    return RetryPolicy(
        attempts=attempts,
        delay_seconds=delay,
        backoff=float(backoff),
        max_delay_seconds=None if ceiling is None else seconds(ceiling),
        jitter=bool(retry.jitter),
        on=_names([retry.on] if isinstance(retry.on, (str, type)) else retry.on),
    )


def _names(errors: Iterable[str | type[BaseException]]) -> tuple[str, ...]:
    names = [_name(error) for error in errors]
    if not names:
        raise ValueError("on must list exception classes or their names")
    return tuple(dict.fromkeys(names))


def _name(error: object) -> str:
    if isinstance(error, type) and issubclass(error, BaseException):
        name = error.__name__
    elif isinstance(error, str):
        name = error
    else:
        raise ValueError("exception classes, or their names, in on=")
    if isinstance(error, str) and f"{name}Error" in CLASSES:
        raise ValueError(f"the name of an exception class; {name!r} is none, {name + 'Error'!r} is")
    if name in NO_FAILURES:
        raise ValueError(f"exception classes; {name} is no failure, so there is nothing to try again")
    return name

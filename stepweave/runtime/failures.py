"""`reported_as(event, ...)`: the exception to raise for a failed attempt whose event says more about errors.

``errors``            a user's class that a retry policy names is reported under its own name
``later``             ``RetryAfter`` puts the task off, as often as the event allows
``tries``             the last failure of a task is noted, so that a run with too many can stop
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection

from stepweave.errors import RetryAfter, Skip, TaskError, TransientError
from stepweave.runtime.events import Event
from stepweave.runtime.lazily import part
from stepweave.runtime.outcome import MachineError, error_class, error_text, reported
from stepweave.stores.objects import ObjectStore

_NO_FAILURES = frozenset({"NotYet", "RetryAfter", "RunStopped"})


def reported_as(event: Event, store: ObjectStore, error: BaseException) -> TaskError | Skip | MachineError:
    """``error`` as the exception to raise to the state machine."""
    failure = _reported(event, error)
    name = type(failure).__name__
    if "tries" in event and not isinstance(failure, Skip) and name not in _NO_FAILURES:
        part("failed_tasks").note_if_last(event, store, name)
    return failure


def _reported(event: Event, error: BaseException) -> TaskError | Skip | MachineError:
    if isinstance(error, RetryAfter):
        return _put_off(event, error)
    name = _named(error, event.get("errors", ()))
    if name is None or isinstance(error, MachineError):
        return reported(error)
    known = error_class(error)
    return class_named(name, known if issubclass(known, TaskError) else TransientError)(error_text(error))


def _put_off(event: Event, error: RetryAfter) -> TaskError | Skip | MachineError:
    if "later" not in event or event["later"] >= event.get("later_most", 0):
        return reported(error)
    # The seconds come first, where the state machine looks for them.
    parts = {"seconds": max(1, math.ceil(error.seconds)), **json.loads(error_text(error))}
    return RetryAfter(error.seconds, json.dumps(parts, ensure_ascii=False))


def _named(error: BaseException, names: Collection[str]) -> str | None:
    """The first of ``names`` along the bases of the error's class: bare, or with the module before it."""
    for base in type(error).__mro__:
        for name in (base.__name__, f"{base.__module__}.{base.__qualname__}"):
            if name in names:
                return name
    return None


def class_named(name: str, base: type[TaskError] = TransientError) -> type[TaskError]:
    """An error class whose name is all that the state machine sees of the user's."""
    return type(name, (base,), {"__doc__": "A user's error class that a retry policy names."})

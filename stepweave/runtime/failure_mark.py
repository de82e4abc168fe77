"""`failure.json`: how the last attempt of a Batch job failed, for further attempts and for who collects the result."""

from __future__ import annotations

import json

from stepweave.errors import (
    DataError,
    PermanentError,
    ResourceError,
    RetryAfter,
    Skip,
    TaskError,
    TransientError,
)
from stepweave.runtime.lazily import part
from stepweave.runtime.outcome import MachineError, error_class
from stepweave.stores.layout import failure_key
from stepweave.stores.objects import ObjectStore

_CLASSES: dict[str, type[TaskError] | type[Skip]] = {
    cls.__name__: cls for cls in (DataError, PermanentError, ResourceError, TransientError, Skip)
}
_OF_MACHINES = {"RunStopped": "failed_tasks", "SensorTimeout": "sensors", "NotYet": "sensors"}


def read_failure(store: ObjectStore, prefix: str) -> TaskError | Skip | MachineError | None:
    """What the last attempt of the job raised; None when it did not fail."""
    data = store.get_or_none(failure_key(prefix))
    if data is None:
        return None
    mark = json.loads(data)
    name, text = mark["class"], mark["error"]
    if name in _CLASSES:
        return _CLASSES[name](text)
    if name == RetryAfter.__name__:
        return RetryAfter(json.loads(text)["seconds"], text)
    if name in _OF_MACHINES:
        error: MachineError = getattr(part(_OF_MACHINES[name]), name)(text)
        return error
    user_error: TaskError = part("failures").class_named(name, _CLASSES[mark["base"]])(text)
    return user_error


def write_failure(store: ObjectStore, prefix: str, error: TaskError | Skip | MachineError) -> None:
    """Leave the mark of an attempt that raised ``error``, as it is reported to the state machine."""
    mark = {"class": type(error).__name__, "base": error_class(error).__name__, "error": str(error)}
    store.put(failure_key(prefix), json.dumps(mark).encode())


def forget_failure(store: ObjectStore, prefix: str) -> None:
    """Remove the mark: what comes next is another job."""
    store.delete(failure_key(prefix))

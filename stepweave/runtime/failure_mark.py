"""`failure.json`: how the last attempt of a Batch job failed, for further attempts and for who collects the result."""

from __future__ import annotations

import json

from stepweave.errors import DataError, PermanentError, ResourceError, Skip, TaskError, TransientError
from stepweave.stores.layout import failure_key
from stepweave.stores.objects import ObjectStore

_CLASSES: dict[str, type[TaskError] | type[Skip]] = {
    cls.__name__: cls for cls in (DataError, PermanentError, ResourceError, TransientError, Skip)
}


def read_failure(store: ObjectStore, prefix: str) -> TaskError | Skip | None:
    """What the last attempt of the job raised; None when it did not fail."""
    data = store.get_or_none(failure_key(prefix))
    if data is None:
        return None
    mark = json.loads(data)
    return _CLASSES[mark["class"]](mark["error"])


def write_failure(store: ObjectStore, prefix: str, error: TaskError | Skip) -> None:
    """Leave the mark of an attempt that raised ``error``, one of the reported classes."""
    store.put(failure_key(prefix), json.dumps({"class": type(error).__name__, "error": str(error)}).encode())


def forget_failure(store: ObjectStore, prefix: str) -> None:
    """Remove the mark: what comes next is another job."""
    store.delete(failure_key(prefix))

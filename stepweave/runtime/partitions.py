"""Partitions of assets: what a run publishes becomes current at one moment, and only once.

The content is written first, in a place of the run's own; then one object, ``current.json``, is swapped to point to it.
That object remembers what was published lately, so that a call repeated by the same run never brings back a version
that another run has replaced since. What the run itself has replaced (by an undo) it may publish again.
"""

from __future__ import annotations

import json
import time
from typing import Any

from stepweave.errors import CodecError, DataError, PermanentError, TransientError
from stepweave.runtime.codecs.values import StoredValue, load_value, store_value
from stepweave.runtime.context import Context
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import current_key, version_prefix
from stepweave.stores.objects import ObjectStore

_REMEMBERED = 100
_ATTEMPTS = 50


def publish(context: Context, store: ObjectStore, name: str, partition: str, value: Any) -> None:
    """Make ``value`` the content of the partition that readers see from now on."""
    prefix = version_prefix(name, partition, context.dag_id, context.run_id)
    try:
        stored, _ = store_value(value, store, prefix, context.scratch_space)
    except CodecError as error:
        raise PermanentError(
            f"partition {partition!r} of asset {name!r} cannot be stored: {error}"
        ) from error
    version = f"{context.dag_id}/{context.run_id}/{stored.digest[:16]}"
    key = current_key(name, partition)
    for _ in range(_ATTEMPTS):
        data, tag = store.read(key) or (None, None)
        earlier: list[str] = [] if data is None else json.loads(data)["versions"]
        own = f"{context.dag_id}/{context.run_id}/"
        if next((one for one in earlier if one.startswith(own)), None) == version:
            return  # published already, and perhaps replaced by another run since
        current = {
            "version": version,
            "dag": context.dag_id,
            "run": context.run_id,
            "task": context.task_id,
            "published_at": round(time.time(), 6),
            "value": _as_json(stored),
            "versions": [version, *earlier][:_REMEMBERED],
        }
        if store.swap(key, json.dumps(current).encode(), tag):
            return
    raise TransientError(f"partition {partition!r} of asset {name!r} is published by too many tasks at once")


def latest(store: ObjectStore, name: str, partition: str, scratch: Scratch) -> Any:
    """The content of the partition; ``DataError`` when nothing was published."""
    data = store.get_or_none(current_key(name, partition))
    if data is None:
        raise DataError(
            f"asset {name!r} has no partition {partition!r} in the store {store.url}; "
            "publish it first: get_current_context().publish(name, partition, value)"
        )
    return load_value(StoredValue(**json.loads(data)["value"]), store, scratch)


def _as_json(stored: StoredValue) -> dict[str, Any]:
    return {name: getattr(stored, name) for name in StoredValue.__dataclass_fields__}

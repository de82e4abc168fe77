"""Setups that were torn down: a resumed run sets up anew, as what its tasks were to work with is gone.

A tear-down leaves a mark beside the result of each of its setups, before it is called: if it is cut off in the middle,
nobody knows what is left. The mark names the very result by its digest, so a setup that ran again is not meant by it.
"""

from __future__ import annotations

import hashlib

from stepweave.runtime.committed import committed_indexes
from stepweave.runtime.events import Event, index_of
from stepweave.stores.layout import result_key, task_prefix, torn_key
from stepweave.stores.objects import ObjectStore


def note_torn(event: Event, store: ObjectStore) -> None:
    """Mark what the tear-down of ``event`` ends."""
    run = event["run"]
    for setup in event["ends"]:
        top = task_prefix(run["dag"], run["id"], setup, "/".join(index_of(event)))
        for index in committed_indexes(store, top):
            prefix = "/".join((top, *map(str, index)))
            data = store.get_or_none(result_key(prefix))
            if data is not None:
                store.put(torn_key(prefix), _digest(data))


def is_torn(store: ObjectStore, prefix: str) -> bool:
    """Whether the committed result of a setup is of something that was torn down."""
    mark, data = store.get_or_none(torn_key(prefix)), store.get_or_none(result_key(prefix))
    return mark is not None and data is not None and mark == _digest(data)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()

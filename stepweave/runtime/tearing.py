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
    for prefix in _setups(event, store):
        store.put(torn_key(prefix), _digest(store.get(result_key(prefix))))


def is_over(event: Event, store: ObjectStore) -> bool:
    """Whether a tear-down that is committed has nothing to do: nothing was set up since."""
    prefixes = _setups(event, store)
    return bool(prefixes) and all(is_torn(store, prefix) for prefix in prefixes)


def is_torn(store: ObjectStore, prefix: str) -> bool:
    """Whether the committed result of a setup is of something that was torn down."""
    mark, data = store.get_or_none(torn_key(prefix)), store.get_or_none(result_key(prefix))
    return mark is not None and data is not None and mark == _digest(data)


def _setups(event: Event, store: ObjectStore) -> list[str]:
    """Prefixes of what was set up, and is on record."""
    run, found = event["run"], []
    for setup in event["ends"]:
        top = task_prefix(run["dag"], run["id"], setup, "/".join(index_of(event)))
        found += ["/".join((top, *map(str, index))) for index in committed_indexes(store, top)]
    return [prefix for prefix in found if store.get_or_none(result_key(prefix)) is not None]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()

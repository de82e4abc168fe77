"""The latest success of a task in any run: noted after the commit, and recalled where nothing better can be had."""

from __future__ import annotations

import json
from typing import Any

from stepweave.errors import DataError
from stepweave.runtime.codecs.values import load_value
from stepweave.runtime.committed import find_envelope
from stepweave.runtime.context import Context
from stepweave.runtime.envelope import parse_envelope
from stepweave.runtime.events import Event
from stepweave.stores.layout import last_key, result_key
from stepweave.stores.objects import ObjectStore


def remember(event: Event, store: ObjectStore, prefix: str) -> None:
    """Point to the envelope under ``prefix`` as the latest success of its task, unless it was itself recalled."""
    envelope = find_envelope(store, prefix)
    if envelope is None or RECALLED in envelope.metadata:  # None: it is staged, and may yet be dropped
        return
    run = event["run"]
    pointer = {"key": result_key(prefix), "run": run["id"]}
    store.put(last_key(run["dag"], event["task"], run.get("index", "")), json.dumps(pointer).encode())


def recall(context: Context, store: ObjectStore) -> Any:
    """The value that the pointer of this task leads to; ``DataError`` when it leads nowhere."""
    pointer = store.get_or_none(last_key(context.dag_id, context.task_id, context.index))
    found = {} if pointer is None else json.loads(pointer)
    data = store.get_or_none(found["key"]) if found else None
    if data is None:
        raise DataError(
            f"task {context.task_id!r} has no earlier success to fall back on; let it succeed once, "
            "or end its degrade list with a task that needs none"
        )
    context.metadata[RECALLED] = found["run"]
    return load_value(parse_envelope(data, found["key"]).value, store, context.scratch_space)


RECALLED = "recalled_from_run"
"""Name under which the metadata of a result says which run its value was recalled from."""

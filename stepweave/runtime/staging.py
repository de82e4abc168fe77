"""`answer(event, ...)`: what a speculation has staged becomes committed, once it is known that it counts."""

from __future__ import annotations

from stepweave.runtime.attempt import Place
from stepweave.runtime.events import Event, Record
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import RESULT, STAGED, task_prefix
from stepweave.stores.objects import ObjectStore


def answer(event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> Record:
    """``{"status": "success"}`` after every staged envelope of the tasks, and of their items, is their result."""
    run = event["run"]
    for task in event["commit"]:
        below = task_prefix(run["dag"], run["id"], task, run.get("index", ""))
        for key, _ in store.list(below):
            if key.endswith(f"/{STAGED}"):
                _commit(store, key, f"{key.removesuffix(STAGED)}{RESULT}")
    return Record(status="success")


def _commit(store: ObjectStore, staged: str, result: str) -> None:
    data = store.get_or_none(staged)
    if data is None:
        return
    if not store.create(result, data) and store.get_or_none(result) != data:
        # What is staged is newer: a resumed run, whose inputs have changed, ran the task again.
        store.put(result, data)
    # Last, so that a call that was cut short is finished by the next one.
    store.delete(staged)

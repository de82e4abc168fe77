"""Marks of the task runs that failed for good in one execution: a run with too many begins no further task."""

from __future__ import annotations

import json

from stepweave.runtime.events import Event, retries_of
from stepweave.runtime.outcome import MachineError
from stepweave.stores.layout import failed_key, failed_prefix
from stepweave.stores.objects import ObjectStore


class RunStopped(MachineError):
    """More tasks have failed than the DAG allows, so this one does not begin."""


def check_allowed(event: Event, store: ObjectStore) -> None:
    """Nothing while few enough tasks have failed; else :class:`RunStopped`."""
    run = event["run"]
    failed = sum(1 for _ in store.list(failed_prefix(run["dag"], run["id"], _execution(event))))
    if failed > event["max_failed"]:
        raise RunStopped(f"{failed} tasks have failed; the DAG allows {event['max_failed']}")


def note_if_last(event: Event, store: ObjectStore, name: str) -> None:
    """Leave the mark of a failed task run, if error class ``name`` is not tried again."""
    if retries_of(event) < event["tries"].get(name, 0):
        return
    mark = {"error": name, "attempt": event.get("attempt", 0)}
    store.put(_key(event), json.dumps(mark).encode())


def forget(event: Event, store: ObjectStore) -> None:
    """Take back the mark of a task run that succeeded after all: ``RetryAfter`` starts the count of retries anew."""
    store.delete(_key(event))


def _key(event: Event) -> str:
    run = event["run"]
    return failed_key(run["dag"], run["id"], _execution(event), event["task"], run.get("index", ""))


def _execution(event: Event) -> str:
    """Name of the root execution; inside a body the index path follows it."""
    return (event["run"].get("execution") or "0").partition("/")[0]

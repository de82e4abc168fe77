"""`answer(event, ...)`: the items of one batch of a mapped task, one after another, each a task run of its own.

An item that fails does not stop the others. When the event says how often an error class is tried again (``tries``),
the batch as a whole fails with the class of an item that may be; a further attempt runs only what has not ended.
"""

from __future__ import annotations

from typing import cast

from stepweave.errors import PermanentError, RetryAfter, Skip, TaskError
from stepweave.runtime.attempt import Place
from stepweave.runtime.events import Event, Record, index_of, retries_of
from stepweave.runtime.failure_mark import forget_failure, read_failure, write_failure
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.item_chunks import items_in
from stepweave.runtime.lazily import part
from stepweave.runtime.outcome import MachineError
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import task_prefix
from stepweave.stores.objects import ObjectStore

_LETTERS = {True: "k", False: "f"}


def answer(
    event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place
) -> Record | TaskError | MachineError:
    """``{"status": "success", "items": letters}``: s success, f failed, k skipped, for each item of the batch.

    Or the failure, as it was reported, of an item that may be tried again.
    """
    *scope, batch = index_of(event)
    inputs = Inputs(event, store, scratch)
    node = task_prefix(event["run"]["dag"], event["run"]["id"], event["task"], "/".join(scope))
    count = inputs.written_count()
    if count is None:
        count = items_in(store, node)
    if count is None:
        raise PermanentError(
            f"batch {batch} of mapped task {event['task']!r}: its items were never written down"
        )
    first = int(batch) * event["batch"]
    letters = ""
    again: TaskError | MachineError | None = None
    for number in range(first, min(first + event["batch"], count)):
        item = _item_event(event, [*scope, str(number)])
        error = _failure(item, store, f"{node}/{number}", place)
        if type(error).__name__ == "RunStopped":
            return cast(MachineError, error)
        letters += "s" if error is None else _LETTERS[isinstance(error, Skip)]
        if error is not None and not isinstance(error, Skip) and _may_be_tried(event, error):
            again = again or error
    return again or cast(Record, {"status": "success", "items": letters})


def _item_event(event: Event, index: list[str]) -> Event:
    item = {key: value for key, value in event.items() if key != "batch"}
    run = {**event["run"], "index": "/".join(index)}
    # Of a batch that was put off some items have ended, whatever the number of this attempt.
    return cast(Event, {**item, "run": run, "attempt": max(event.get("attempt", 0), event.get("later", 0))})


def _failure(
    item: Event, store: ObjectStore, prefix: str, place: Place
) -> TaskError | Skip | MachineError | None:
    """How the item failed; None when it succeeded."""
    if item.get("attempt"):
        earlier = read_failure(store, prefix)
        if earlier is not None and not _may_be_tried({**item, "attempt": 0}, earlier):
            return earlier
    try:
        part("invoke").invoke(item, store, compute=place.compute, logs=place.logs, echo=place.echo)
    except (TaskError, Skip, MachineError) as error:
        write_failure(store, prefix, error)
        return error
    forget_failure(store, prefix)
    return None


def _may_be_tried(event: Event, error: Exception) -> bool:
    # As RetryAfter it is reported only while it may put the task off.
    return isinstance(error, RetryAfter) or retries_of(event) < event.get("tries", {}).get(
        type(error).__name__, 0
    )

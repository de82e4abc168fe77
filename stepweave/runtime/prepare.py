"""The state before a Batch job: its inputs are written down, or its result turns out to be there."""

from __future__ import annotations

import json

from stepweave.runtime.committed import record_of_committed, reusable
from stepweave.runtime.events import Event
from stepweave.runtime.failure_mark import forget_failure
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import input_key
from stepweave.stores.objects import ObjectStore


class Reused(Exception):
    """The task is committed already; the message is its record as JSON text."""


def prepare(
    event: Event, store: ObjectStore, prefix: str, scratch: Scratch, inputs: Inputs
) -> dict[str, str]:
    """``{"uri": key}`` of the event that the job will read; raises :class:`Reused` when there is nothing to run."""
    envelope = reusable(event, store, prefix, inputs)
    if envelope is not None:
        raise Reused(json.dumps(record_of_committed(event, store, prefix, envelope, scratch)))
    # The mark of an earlier job's failure is about that job: this one starts afresh.
    forget_failure(store, prefix)
    key = input_key(prefix)
    store.put(key, json.dumps({name: part for name, part in event.items() if name != "prepare"}).encode())
    return {"uri": key}

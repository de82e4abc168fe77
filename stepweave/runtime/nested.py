"""`answer(event, ...)`: the parts of a nested DAG's value that expressions read, from the run of that DAG."""

from __future__ import annotations

import json

from stepweave.runtime.attempt import Place
from stepweave.runtime.events import Event, Record
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.paths import field_name, native
from stepweave.runtime.scratch import Scratch
from stepweave.stores.objects import ObjectStore


def answer(event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> Record:
    """``{"status": "success", "fields"}``; ``args`` holds the spec of ``value``, as any reader has it."""
    value = Inputs(event, store, scratch).values()["value"]
    origin = f"the value of {event['task']!r}"
    fields = {field_name(path): native(value, path, origin) for path in json.loads(event["fields"])}
    return Record(status="success", fields=fields)

"""`answer(event, ...)`: the parts of a nested DAG's value that expressions read, from the run of that DAG."""

from __future__ import annotations

import json

from stepweave.runtime.attempt import Place
from stepweave.runtime.events import Event, Record, RunInfo
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.paths import field_name, native
from stepweave.runtime.scoped import value_of_run
from stepweave.runtime.scratch import Scratch
from stepweave.stores.objects import ObjectStore


def answer(event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> Record:
    """``{"status": "success", "fields"}``; ``args`` holds the spec of ``value`` in terms of the other DAG's tasks."""
    nested = event["nested"]
    other = Inputs(event, store, scratch).of_run(RunInfo(dag=nested["dag"], id=nested["run"]))
    value = value_of_run(other, json.loads(event["args"])["value"], nested["call"])
    origin = f"the value of {event['task']!r}"
    fields = {field_name(path): native(value, path, origin) for path in json.loads(event["fields"])}
    return Record(status="success", fields=fields)

"""A result that is already committed: is it there, is it still that of these inputs, and what is its record?"""

from __future__ import annotations

import json

from stepweave.runtime.codecs.values import StoredValue, load_text, load_value
from stepweave.runtime.envelope import Envelope, parse_envelope
from stepweave.runtime.events import Event, Record
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.paths import field_name, native
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import result_key
from stepweave.stores.objects import ObjectStore


def find_envelope(store: ObjectStore, prefix: str) -> Envelope | None:
    """The envelope under a task's prefix, or None."""
    key = result_key(prefix)
    data = store.get_or_none(key)
    return None if data is None else parse_envelope(data, key)


def reusable(event: Event, store: ObjectStore, prefix: str, inputs: Inputs) -> Envelope | None:
    """The committed envelope, unless this is a resumed run and the result is stale: then it is deleted, and None."""
    envelope = find_envelope(store, prefix)
    if envelope is None or not event["run"].get("resume"):
        return envelope
    begins_again = event.get("rerun", False) and event.get("attempt", 0) == 0
    if not begins_again and envelope.input_digest == inputs.digest(inputs.upstream_digests()):
        return envelope
    # Deleted before the task runs, so that the new commit is a conditional create like any other.
    store.delete(result_key(prefix))
    return None


def record_of_committed(
    event: Event, store: ObjectStore, prefix: str, envelope: Envelope, scratch: Scratch
) -> Record:
    """The record of an envelope that another attempt committed."""
    stored = envelope.value
    value = load_value(stored, store, scratch) if "fields" in event else None
    inline = stored.codec == "json" and stored.size <= event.get("inline", 0)
    return record_of(event, prefix, stored, load_text(stored, store) if inline else "", value)


def record_of(event: Event, prefix: str, stored: StoredValue, text: str, value: object) -> Record:
    """The record of a stored value: inline as far as the event allows, else its key, and the fields asked for."""
    if stored.codec == "json" and stored.size <= event.get("inline", 0):
        record = Record(status="success", value=text)
    else:
        record = Record(status="success", ref=stored.key or result_key(prefix))
    if "fields" in event:
        origin = f"the value of task {event['task']!r}"
        record["fields"] = {
            field_name(path): native(value, path, origin) for path in json.loads(event["fields"])
        }
    return record

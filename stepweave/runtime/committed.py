"""A result that is already committed: is it there, is it still that of these inputs, and what is its record?"""

from __future__ import annotations

import json
from collections.abc import Mapping

from stepweave.errors import TransientError
from stepweave.runtime.codecs.values import StoredValue, load_text, load_value
from stepweave.runtime.envelope import Envelope, parse_envelope
from stepweave.runtime.events import Event, Json, Record
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.lazily import part
from stepweave.runtime.paths import field_name, native
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import RESULT, result_key, staged_key
from stepweave.stores.objects import ObjectStore


def commit(store: ObjectStore, prefix: str, envelope: Envelope, *, staged: bool = False) -> Envelope | None:
    """None when ``envelope`` was committed, else the one of another attempt that was there before."""
    key = staged_key(prefix) if staged else result_key(prefix)
    for _ in range(2):
        if store.create(key, envelope.to_bytes()):
            return None
        committed = _envelope_at(store, key)
        if committed is not None:
            return committed
        # Deleted between the two calls, because the run was resumed and it was stale: there is room now.
    raise TransientError(f"the result under {prefix!r} comes and goes: two runs of the same id are at work")


def find_envelope(store: ObjectStore, prefix: str) -> Envelope | None:
    """The envelope under a task's prefix, or None."""
    return _envelope_at(store, result_key(prefix))


def _envelope_at(store: ObjectStore, key: str) -> Envelope | None:
    data = store.get_or_none(key)
    return None if data is None else parse_envelope(data, key)


def committed_indexes(store: ObjectStore, top: str) -> set[tuple[int, ...]]:
    """Index paths below the task's prefix at which there is a result, or was one that has been undone."""
    found: set[tuple[int, ...]] = set()
    for key, _ in store.list(top):
        *folders, name = key.removeprefix(f"{top}/").split("/")
        if name == RESULT:
            path = folders[:-1] if folders[-1:] == ["undo"] else folders
            if all(folder.isdigit() for folder in path):
                found.add(tuple(map(int, path)))
    return found


def reusable(event: Event, store: ObjectStore, prefix: str, inputs: Inputs) -> Envelope | None:
    """The committed envelope, unless this is a resumed run and the result is stale: then it is deleted, and None."""
    key = result_key(prefix)
    envelope = _envelope_at(store, key)
    if envelope is None and event.get("stage"):
        key = staged_key(prefix)
        envelope = _envelope_at(store, key)
    if envelope is None or not event["run"].get("resume"):
        return envelope
    if "ends" in event and part("tearing").is_over(event, store):
        return envelope
    begins_again = event.get("attempt", 0) == 0 and (
        event.get("rerun", False) or (event.get("setup", False) and part("tearing").is_torn(store, prefix))
    )
    if not begins_again and envelope.input_digest == inputs.digest(inputs.upstream_digests()):
        return envelope
    # Deleted before the task runs, so that the new commit is a conditional create like any other.
    store.delete(key)
    return None


def record_of_committed(
    event: Event, store: ObjectStore, prefix: str, envelope: Envelope, scratch: Scratch
) -> Record:
    """The record of an envelope that another attempt committed."""
    stored = envelope.value
    value = load_value(stored, store, scratch) if "fields" in event or "chooses" in event else None
    inline = stored.codec == "json" and stored.size <= event.get("inline", 0)
    text = load_text(stored, store) if inline else ""
    return record_of(event, prefix, stored, text, value, envelope.metadata)


def record_of(
    event: Event, prefix: str, stored: StoredValue, text: str, value: object, metadata: Mapping[str, Json]
) -> Record:
    """The record of a stored value: inline as far as the event allows, else its key, and what else is asked for."""
    if stored.codec == "json" and stored.size <= event.get("inline", 0):
        record = Record(status="success", value=text)
    else:
        record = Record(status="success", ref=stored.key or result_key(prefix))
    if "fields" in event:
        origin = f"the value of task {event['task']!r}"
        record["fields"] = {
            field_name(path): native(value, path, origin) for path in json.loads(event["fields"])
        }
    if "chooses" in event:
        record["chosen"] = part("decisions").chosen(value, event["chooses"], event["task"])
    if LEVEL in metadata:
        record["level"] = metadata[LEVEL]
    return record


LEVEL = "level"
"""Name under which the metadata of a result says which rung of a ladder it is from."""

"""`answer(event, ...)`: what a task did is undone, by the task that compensates it.

Every committed run of the task is undone once: of a mapped task each item, the last first. The undo is committed with
the digest of the envelope that it undid, and only then that envelope is deleted, so that a call that was cut short, or
came twice, goes on where it was; and a resumed run runs the task again. Before it is called, a mark says that it was
begun: cut off in the middle, nobody knows what is undone, so a resumed run finishes it before it looks for the result.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, cast

from stepweave.runtime.attempt import Place, envelope_of, log_of, ran, stored_value
from stepweave.runtime.codecs.values import load_value
from stepweave.runtime.coercion import coerced
from stepweave.runtime.committed import committed_indexes, find_envelope
from stepweave.runtime.envelope import parse_envelope
from stepweave.runtime.events import Event, Record, index_of
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.parameters import fitting, parameter_names
from stepweave.runtime.resolve import task_function
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import begun_key, result_key, task_prefix, undo_prefix
from stepweave.stores.objects import ObjectStore

RESULT_PARAMETER = "result"
"""Parameter of a compensating task that gets the value of the task that it undoes."""

_REPLICA = re.compile(r"replicas/\d+/result\.json")


def answer(event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> Record:
    """``success`` when something was undone, now or before; ``skipped`` when there was nothing to undo."""
    run = event["run"]
    top = task_prefix(run["dag"], run["id"], event["undo"]["of"], run.get("index", ""))
    indexes = committed_indexes(store, top)
    failure: Exception | None = None
    for index in sorted(indexes, reverse=True):
        one = cast(Event, {**event, "run": {**run, "index": "/".join((*index_of(event), *map(str, index)))}})
        try:
            _undo(one, store, "/".join((top, *map(str, index))), scratch, place)
        except Exception as error:
            # The others are undone all the same; a further attempt finds this one.
            failure = failure or error
    if failure is not None:
        raise failure
    return Record(status="success" if indexes else "skipped")


def finish(store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> None:
    """Undo what is committed under ``prefix`` if that was begun, and cut off."""
    begun, data = store.get_or_none(begun_key(prefix)), store.get_or_none(result_key(prefix))
    if begun is not None and data is not None:
        mark = json.loads(begun)
        if mark["of"] == hashlib.sha256(data).hexdigest():
            _undo(cast(Event, mark["event"]), store, prefix, scratch, place)


def _undo(event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> None:
    below = undo_prefix(prefix)
    data = store.get_or_none(result_key(prefix))
    if data is None:
        return
    digest = hashlib.sha256(data).hexdigest()
    done = find_envelope(store, below)
    if done is None or done.input_digest != digest:
        # A resumed run may have run the task again after it was undone.
        store.delete(result_key(below))
        store.put(begun_key(prefix), json.dumps({"of": digest, "event": event}).encode())
        try:
            with log_of(event, store, below, place):
                _call(event, store, prefix, data, digest, scratch, place)
        except Exception:
            # It says of itself that it did not undo: the result stays as it is.
            store.delete(begun_key(prefix))
            raise
    for key, _ in store.list(prefix):
        if _REPLICA.fullmatch(key.removeprefix(f"{prefix}/")):
            store.delete(key)
    store.delete(result_key(prefix))


def _call(
    event: Event,
    store: ObjectStore,
    prefix: str,
    undone: bytes,
    digest: str,
    scratch: Scratch,
    place: Place,
) -> None:
    function = task_function(event["call"])
    envelope = parse_envelope(undone, result_key(prefix))
    names, anything = parameter_names(function)
    offered: dict[str, Any] = {}
    if RESULT_PARAMETER in names:
        offered[RESULT_PARAMETER] = load_value(envelope.value, store, scratch)
    then = cast(Event, {**event, "values": envelope.values or event.get("values", [])})
    given = Inputs(then, store, scratch).values(None if anything else names)
    arguments = fitting(function, {**given, **offered}, f"the compensation of task {event['undo']['of']!r}")
    done = ran(event, store, scratch, function, coerced(arguments, function))
    below = undo_prefix(prefix)
    stored, _ = stored_value(event, done.value, store, below, scratch)
    mark = envelope_of(event, place, done, stored, {event["undo"]["of"]: digest}, digest)
    store.create(result_key(below), mark.to_bytes())

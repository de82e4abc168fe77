"""`answer(event, ...)`: of the replicas of a task, the value on which enough of them agree becomes the task's."""

from __future__ import annotations

from dataclasses import replace

from stepweave.errors import PermanentError
from stepweave.runtime.attempt import Place
from stepweave.runtime.committed import commit, find_envelope, record_of_committed
from stepweave.runtime.envelope import Envelope
from stepweave.runtime.events import Event, Record
from stepweave.runtime.lazily import part
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import replica_prefix, result_key, staged_key
from stepweave.stores.objects import ObjectStore


class NoQuorum(PermanentError):
    """Too few replicas of a task succeeded with the same value."""


def answer(event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> Record:
    """The record of the task, committed with the value of the first replica of those that agree."""
    quorum = event["quorum"]
    found = (find_envelope(store, replica_prefix(prefix, number)) for number in range(1, quorum["of"] + 1))
    groups: dict[str, list[Envelope]] = {}
    for envelope in found:
        if envelope is not None:
            groups.setdefault(envelope.value.digest, []).append(envelope)
    agreeing = max(groups.values(), key=len, default=[])
    if len(agreeing) < quorum["need"]:
        succeeded = sum(map(len, groups.values()))
        raise NoQuorum(
            f"{len(agreeing)} of {quorum['of']} replicas of task {event['task']!r} agree, expected {quorum['need']}; "
            f"{succeeded} succeeded, with {len(groups)} different values"
        )
    mine = agreeing[0]
    metadata = {**mine.metadata, "replicas": quorum["of"], "replicas_agreeing": len(agreeing)}
    envelope = replace(mine, metadata=metadata)
    committed = _committed(event, store, prefix, envelope)
    if event.get("remember"):
        part("last_success").remember(event, store, prefix)
    return record_of_committed(event, store, prefix, committed, scratch)


def _committed(event: Event, store: ObjectStore, prefix: str, envelope: Envelope) -> Envelope:
    """The envelope that now is the task's."""
    staged = event.get("stage", False)
    earlier = commit(store, prefix, envelope, staged=staged)
    if earlier is None:
        return envelope
    if event["run"].get("resume") and earlier.value.digest != envelope.value.digest:
        # The replicas ran again because their inputs have changed: what was agreed on before is stale.
        store.delete(staged_key(prefix) if staged else result_key(prefix))
        return commit(store, prefix, envelope, staged=staged) or envelope
    return earlier

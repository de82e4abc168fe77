"""`attempt(...)`: the function of a task runs in its context, its value is stored, and the envelope committed."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from stepweave.errors import CodecError, PermanentError
from stepweave.runtime.calling import call
from stepweave.runtime.code_version import code_version
from stepweave.runtime.codecs.values import StoredValue, store_value
from stepweave.runtime.committed import commit, record_of, record_of_committed
from stepweave.runtime.context import Context, swap_context
from stepweave.runtime.envelope import Envelope
from stepweave.runtime.events import Event, Record
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.lazily import part
from stepweave.runtime.logs import AttemptLog
from stepweave.runtime.resolve import task_function
from stepweave.runtime.scratch import Scratch
from stepweave.stores.objects import ObjectStore

_MAXRSS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024

_GUARDS = frozenset({"breaker", "heartbeat", "sensor"})
"""Keys of an event that change how the function is called."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt runs, and what becomes of what it logs."""

    compute: str
    """For the envelope."""
    logs: bool
    """Keep what the task logs and prints in the store."""
    echo: bool
    """Show it on the terminal as well."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A function that has returned."""

    value: Any
    context: Context
    started_at: float
    duration_seconds: float


def attempt(
    event: Event, store: ObjectStore, prefix: str, inputs: Inputs, scratch: Scratch, place: Place
) -> Record:
    """The record of the task that ``event`` describes, after it ran and was committed."""
    function = task_function(event["call"])
    arguments = inputs.arguments(function)
    # Digests first: the function may change its arguments in place.
    digests = inputs.upstream_digests()
    input_digest = inputs.digest(digests)
    run = call if _GUARDS.isdisjoint(event) else _guarded
    done = ran(event, store, scratch, function, arguments, run, input_digest=input_digest)
    stored, text = stored_value(event, done.value, store, prefix, scratch)
    record = record_of(event, prefix, stored, text, done.value, done.context.metadata)
    envelope = envelope_of(event, place, done, stored, digests, input_digest)
    # A replica is in a scope of its own, where nobody looks before they are counted.
    committed = commit(store, prefix, envelope, staged=event.get("stage", False) and "replica" not in event)
    if committed is not None:
        return record_of_committed(event, store, prefix, committed, scratch)
    if event.get("later") and "tries" in event:
        part("failed_tasks").forget(event, store)
    if done.context.has_checkpoint:
        part("checkpoints").discard(done.context.checkpoint)
    if event.get("remember"):
        part("last_success").remember(event, store, prefix)
    return record


def log_of(event: Event, store: ObjectStore, prefix: str, place: Place) -> AbstractContextManager[object]:
    """The log of the attempt."""
    if not place.logs:
        return nullcontext()
    return AttemptLog(store, prefix, event.get("attempt", 0), echo=place.echo)


def ran(
    event: Event,
    store: ObjectStore,
    scratch: Scratch,
    function: Callable[..., Any],
    arguments: dict[str, Any],
    run: Callable[..., Any] = call,
    *,
    input_digest: str = "",
) -> Ran:
    """What ``function`` returned, called with its context in place."""
    context = _context(event, store, scratch, input_digest)
    started_at, start = time.time(), time.perf_counter()
    before = swap_context(context)
    try:
        value = run(function, arguments) if run is call else run(event, store, function, arguments)
    finally:
        swap_context(before)
    return Ran(value, context, started_at, time.perf_counter() - start)


def stored_value(
    event: Event, value: Any, store: ObjectStore, prefix: str, scratch: Scratch
) -> tuple[StoredValue, str]:
    """Where the value of a task now lies, and its JSON text; ``PermanentError`` when it cannot be stored."""
    try:
        return store_value(value, store, prefix, scratch)
    except CodecError as error:
        raise PermanentError(f"the value of task {event['task']!r} cannot be stored: {error}") from error


def envelope_of(
    event: Event, place: Place, done: Ran, stored: StoredValue, digests: dict[str, str], input_digest: str
) -> Envelope:
    """The envelope of a function that has returned."""
    run = event["run"]
    return Envelope(
        dag=run["dag"],
        run=run["id"],
        task=event["task"],
        index=run.get("index", ""),
        value=stored,
        type=f"{type(done.value).__module__}.{type(done.value).__qualname__}",
        attempt=event.get("attempt", 0),
        started_at=done.started_at,
        duration_seconds=done.duration_seconds,
        peak_memory_mib=peak_memory_mib(),
        compute=place.compute,
        code=code_version(event["call"].partition(":")[0]),
        inputs=digests,
        input_digest=input_digest,
        values=event.get("values", []) if event.get("compensated") else [],
        metadata=done.context.metadata,
    )


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, in MiB."""
    # Of the program itself: on Linux `ru_maxrss` begins with what the process was before `exec`.
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status", "rb") as status:
        _, found, rest = status.read().partition(b"VmHWM:")
        if found:
            return int(rest.split(None, 1)[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_PER_MIB


def _guarded(
    event: Event, store: ObjectStore, function: Callable[..., Any], arguments: dict[str, Any]
) -> Any:
    return part("guards").call_guarded(event, store, function, arguments)


def _context(event: Event, store: ObjectStore, scratch: Scratch, input_digest: str) -> Context:
    run = event["run"]
    context = Context(
        dag_id=run["dag"],
        run_id=run["id"],
        task_id=event["task"],
        index=run.get("index", ""),
        attempt=event.get("attempt", 0),
        params=run.get("params", {}),
        logical_date_text=run.get("logical_date"),
        upstream=event.get("upstream", {}),
        scratch_space=scratch,
        store=store,
        input_digest=input_digest,
    )
    if "rung" in event:
        rung = event["rung"]
        context.metadata["level"] = rung["level"]
        if rung.get("label"):
            context.metadata["level_label"] = rung["label"]
    return context

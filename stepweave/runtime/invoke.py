"""`invoke(event, store) -> record`: one attempt of one task, the same on Lambda, in a container and on the laptop.

Arguments are loaded, the function runs in its context, its value is stored; the envelope is created: the commit.
Whoever finds an envelope there (a late or duplicate attempt, a retry after a lost answer) returns its record instead.
"""

from __future__ import annotations

import resource
import sys
import time
from contextlib import nullcontext
from typing import Any, cast

from stepweave.errors import CodecError, PermanentError, Skip, TaskError, TransientError
from stepweave.runtime.calling import call
from stepweave.runtime.code_version import code_version
from stepweave.runtime.codecs.values import store_value
from stepweave.runtime.committed import find_envelope, record_of, record_of_committed, reusable
from stepweave.runtime.context import Context, swap_context
from stepweave.runtime.envelope import Envelope
from stepweave.runtime.events import Event, Record
from stepweave.runtime.failure_mark import read_failure
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.logs import AttemptLog
from stepweave.runtime.outcome import reported
from stepweave.runtime.prepare import Reused, prepare
from stepweave.runtime.resolve import task_function
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import result_key, task_prefix
from stepweave.stores.objects import ObjectStore

_MAXRSS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024


def invoke(
    event: Event, store: ObjectStore, *, compute: str = "local", logs: bool = True, echo: bool = False
) -> Record:
    """The record of the task that ``event`` describes.

    An event with ``prepare`` is answered with ``{"uri": key}`` of a Batch job's input, one with ``collect`` with the
    record that a Batch job committed.

    Args:
        event: What the state machine sends.
        store: Where artifacts live.
        compute: Where this is, for the envelope.
        logs: Keep what the task logs and prints in the store. Off where the platform does (CloudWatch).
        echo: Show it on the terminal as well.

    Raises:
        TransientError, ResourceError, DataError, PermanentError, Skip: the attempt did not succeed; the text is JSON.
        Reused: on ``prepare``, the task is committed already.
    """
    scratch = Scratch()
    try:
        answer = _answer(event, store, scratch, compute, logs, echo)
    except Reused:
        raise
    except (Exception, SystemExit) as error:
        raise reported(error) from error
    finally:
        scratch.close()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _answer(
    event: Event, store: ObjectStore, scratch: Scratch, compute: str, logs: bool, echo: bool
) -> Record | TaskError | Skip:
    """The record, or the failure of a Batch job as it was reported."""
    run = event["run"]
    prefix = task_prefix(run["dag"], run["id"], event["task"], event.get("map_index"))
    if event.get("prepare"):
        return cast(Record, prepare(event, store, prefix, scratch))
    if event.get("collect"):
        return _collect(event, store, prefix, scratch)
    inputs = Inputs(event, store, scratch)
    if event.get("attempt") or run.get("resume"):
        envelope = reusable(event, store, prefix, inputs)
        if envelope is not None:
            return record_of_committed(event, store, prefix, envelope, scratch)
    log = AttemptLog(store, prefix, event.get("attempt", 0), echo=echo) if logs else nullcontext()
    with log:
        return _attempt(event, store, prefix, inputs, scratch, compute)


def _attempt(
    event: Event, store: ObjectStore, prefix: str, inputs: Inputs, scratch: Scratch, compute: str
) -> Record:
    function = task_function(event["call"])
    arguments = inputs.arguments(function)
    # Digests first: the function may change its arguments in place.
    digests = inputs.upstream_digests()
    input_digest = inputs.digest(digests)
    context = _context(event, scratch)
    started_at, start = time.time(), time.perf_counter()
    before = swap_context(context)
    try:
        value = call(function, arguments)
    finally:
        swap_context(before)
    duration = time.perf_counter() - start
    try:
        stored, text = store_value(value, store, prefix, scratch)
    except CodecError as error:
        raise PermanentError(f"the value of task {event['task']!r} cannot be stored: {error}") from error
    record = record_of(event, prefix, stored, text, value)
    envelope = Envelope(
        dag=event["run"]["dag"],
        run=event["run"]["id"],
        task=event["task"],
        map_index=event.get("map_index"),
        value=stored,
        type=f"{type(value).__module__}.{type(value).__qualname__}",
        attempt=event.get("attempt", 0),
        started_at=started_at,
        duration_seconds=duration,
        peak_memory_mib=peak_memory_mib(),
        compute=compute,
        code=code_version(event["call"].partition(":")[0]),
        inputs=digests,
        input_digest=input_digest,
        metadata=context.metadata,
    )
    committed = _commit(store, prefix, envelope)
    return record if committed is None else record_of_committed(event, store, prefix, committed, scratch)


def _commit(store: ObjectStore, prefix: str, envelope: Envelope) -> Envelope | None:
    """None when ``envelope`` was committed, else the one of another attempt that was there before."""
    for _ in range(2):
        if store.create(result_key(prefix), envelope.to_bytes()):
            return None
        committed = find_envelope(store, prefix)
        if committed is not None:
            return committed
        # Deleted between the two calls, because the run was resumed and it was stale: there is room now.
    raise TransientError(f"the result under {prefix!r} comes and goes: two runs of the same id are at work")


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_PER_MIB


def _collect(event: Event, store: ObjectStore, prefix: str, scratch: Scratch) -> Record | TaskError | Skip:
    envelope = find_envelope(store, prefix)
    if envelope is not None:
        return record_of_committed(event, store, prefix, envelope, scratch)
    failure = read_failure(store, prefix)
    if failure is not None:
        return failure
    raise PermanentError(f"the job of task {event['task']!r} ended without a result under {prefix!r}")


def _context(event: Event, scratch: Scratch) -> Context:
    run: Any = event["run"]
    return Context(
        dag_id=run["dag"],
        run_id=run["id"],
        task_id=event["task"],
        map_index=event.get("map_index"),
        attempt=event.get("attempt", 0),
        params=run.get("params", {}),
        logical_date_text=run.get("logical_date"),
        upstream=event.get("upstream", {}),
        scratch_space=scratch,
    )

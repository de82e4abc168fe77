"""`invoke(event, store) -> record`: one attempt of one task, the same on Lambda, in a container and on the laptop.

Arguments are loaded, the function runs in its context, its value is stored; the envelope is created: the commit.
Whoever finds an envelope there (a late or duplicate attempt, a retry after a lost answer) returns its record instead.
An event with one of the keys of ``_FORMS`` asks for something else, which a module of its own answers.
"""

from __future__ import annotations

from typing import cast

from stepweave.errors import Skip, TaskError
from stepweave.runtime.attempt import Place, attempt, log_of
from stepweave.runtime.committed import find_envelope, record_of_committed, reusable
from stepweave.runtime.events import Event, Record
from stepweave.runtime.failure_mark import read_failure
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.lazily import part
from stepweave.runtime.outcome import MachineError, reported
from stepweave.runtime.prepare import Reused, prepare
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import replica_prefix, task_prefix
from stepweave.stores.objects import ObjectStore

_FORMS = {
    "batch": "batches",
    "commit": "staging",
    "items": "items",
    "nested": "nested",
    "notice": "notices",
    "quorum": "quorum",
    "undo": "undo",
}
"""Key of an event → the module with ``answer(event, store, prefix, scratch, place)``."""
_FORM_KEYS = frozenset(_FORMS)
_CONDITION_KEYS = frozenset({"max_failed", "setups"})
_FAILURE_KEYS = frozenset({"errors", "later", "tries"})


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
        MachineError: it did not, in a way that the state machine knows by name (``NotYet``, ``RunStopped`` …).
        Reused: on ``prepare``, the task is committed already.
    """
    scratch = Scratch()
    try:
        answer = _answer(event, store, scratch, Place(compute, logs, echo))
    except Reused:
        raise
    except (Exception, SystemExit) as error:
        if not _FAILURE_KEYS.isdisjoint(event):
            raise part("failures").reported_as(event, store, error) from error
        raise reported(error) from error
    finally:
        scratch.close()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _answer(
    event: Event, store: ObjectStore, scratch: Scratch, place: Place
) -> Record | TaskError | Skip | MachineError:
    """The record, or the failure of a Batch job as it was reported."""
    run = event["run"]
    prefix = task_prefix(run["dag"], run["id"], event["task"], run.get("index", ""))
    if not _FORM_KEYS.isdisjoint(event):
        return _other_form(event, store, prefix, scratch, place)
    if "replica" in event:
        prefix = replica_prefix(prefix, event["replica"])
    if event.get("collect"):
        return _collect(event, store, prefix, scratch)
    inputs = Inputs(event, store, scratch)
    if event.get("prepare"):
        _check_conditions(event, store, inputs)
        return cast(Record, prepare(event, store, prefix, scratch, inputs))
    if event.get("attempt") or run.get("resume"):
        if event.get("compensated") and "replica" not in event:
            part("undo").finish(store, prefix, scratch, place)
        envelope = reusable(event, store, prefix, inputs)
        if envelope is not None:
            return record_of_committed(event, store, prefix, envelope, scratch)
    with log_of(event, store, prefix, place):
        _check_conditions(event, store, inputs)
        if "ends" in event:
            part("tearing").note_torn(event, store)
        return attempt(event, store, prefix, inputs, scratch, place)


def _other_form(
    event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place
) -> Record | TaskError | Skip | MachineError:
    form = next(module for key, module in _FORMS.items() if key in event)
    answer: Record | TaskError | Skip | MachineError = part(form).answer(event, store, prefix, scratch, place)
    return answer


def _check_conditions(event: Event, store: ObjectStore, inputs: Inputs) -> None:
    """Nothing when the attempt may begin."""
    if not _CONDITION_KEYS.isdisjoint(event):
        if "max_failed" in event:
            part("failed_tasks").check_allowed(event, store)
        if event.get("setups"):
            _check_setups(event["setups"], inputs)


def _check_setups(setups: list[str], inputs: Inputs) -> None:
    if all(inputs.find_envelope(setup, len(inputs.index)) is None for setup in setups):
        raise Skip(f"nothing to clean up: none of {', '.join(setups)} succeeded")


def _collect(
    event: Event, store: ObjectStore, prefix: str, scratch: Scratch
) -> Record | TaskError | Skip | MachineError:
    envelope = find_envelope(store, prefix)
    if envelope is not None:
        return record_of_committed(event, store, prefix, envelope, scratch)
    failure = read_failure(store, prefix)
    if failure is not None:
        return failure
    raise part("lost_jobs").lost(event, prefix)

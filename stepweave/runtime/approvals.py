"""Approvals: a person is asked, decides once, and the state machine that waits with a task token goes on.

    {"run", "task", "args", "approvers", "level", "timeout", "token"}   request: a state waits; a later level takes over
    {"run", "task", "args", "decide": "approve" | "reject"}             settle: the time is over; answered directly

``request`` stores what is asked and the token, then looks for a decision; ``decide`` stores the decision, and
``answer`` then looks for a token: whichever comes second tells the state machine. The decision is created
conditionally, so there is one; it is committed as the result of the task. A resumed run finds an approval again, and
asks anew after a rejection, or when the question has changed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict, cast

from stepweave.errors import UsageError
from stepweave.runtime.codecs.text import dumps
from stepweave.runtime.codecs.values import store_value
from stepweave.runtime.committed import commit, find_envelope, record_of_committed
from stepweave.runtime.envelope import Envelope
from stepweave.runtime.events import Event, Record, RunInfo
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.rendezvous import TaskTokens
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import approval_key, decision_key, result_key, task_prefix
from stepweave.stores.objects import ObjectStore

TIMEOUT = "timeout"
"""Who decided when nobody did in time."""


class ApprovalEvent(TypedDict):
    """What the state machine sends."""

    run: RunInfo
    task: str
    args: NotRequired[str]
    """JSON text of the spec of ``message``, as for the arguments of a task."""
    records: NotRequired[dict[str, Record]]
    values: NotRequired[list[Any]]
    fields: NotRequired[str]
    inline: NotRequired[int]
    approvers: NotRequired[list[str]]
    level: NotRequired[int]
    timeout: NotRequired[float]
    token: NotRequired[str]
    decide: NotRequired[Literal["approve", "reject"]]


class Decision(TypedDict):
    """What a person said."""

    approved: bool
    by: str
    at: str
    """When, as ISO 8601 text."""
    comment: str


def prefix_of(event: Mapping[str, Any]) -> str:
    """Prefix of the task run whose approval an event is about."""
    run = event["run"]
    return task_prefix(run["dag"], run["id"], event["task"], run.get("index", ""))


def request(
    event: ApprovalEvent, store: ObjectStore, tokens: TaskTokens, now: Callable[[], float] = time.time
) -> bool:
    """Whether the token was answered at once, because the decision is there; the request is stored in any case."""
    prefix = prefix_of(event)
    asked = _asked(event, store, now())
    earlier = _read(store, approval_key(prefix))
    if earlier is not None:
        if _is_stale(store, prefix, earlier, asked):
            store.delete(result_key(prefix))
            store.delete(decision_key(prefix))
        elif earlier["execution"] == asked["execution"]:
            # After an escalation the people asked first may still decide.
            asked["approvers"] = _all_of(earlier["approvers"], asked["approvers"])
    store.put(approval_key(prefix), json.dumps(asked).encode())
    return answer(store, prefix, tokens)


def decide(
    store: ObjectStore,
    prefix: str,
    approved: bool,
    by: str,
    comment: str = "",
    now: Callable[[], float] = time.time,
) -> Decision:
    """The decision, now on record. ``UsageError`` when nothing is asked, or it was decided before, or not by ``by``."""
    asked = _read(store, approval_key(prefix))
    if asked is None:
        raise UsageError(
            f"nobody is asked for an approval under {prefix!r} in the store {store.url}; "
            "expected a task that waits for one (see `stepweave show RUN`)"
        )
    if asked["approvers"] and by not in asked["approvers"]:
        raise UsageError(f"{by!r} may not decide this; expected one of {', '.join(asked['approvers'])}")
    decision = Decision(approved=approved, by=by, at=_moment(now()), comment=comment)
    found = _created(store, prefix, decision)
    if found != decision:
        said = "approved" if found["approved"] else "rejected"
        raise UsageError(f"it was {said} already, by {found['by']} at {found['at']}; a decision is made once")
    _committed(store, prefix, asked, decision)
    return decision


def settle(event: ApprovalEvent, store: ObjectStore, now: Callable[[], float] = time.time) -> Record:
    """The record of an approval whose time is over; a person who was faster has decided it."""
    prefix = prefix_of(event)
    asked = _read(store, approval_key(prefix)) or _asked(event, store, now())
    approved = event["decide"] == "approve"
    decision = Decision(approved=approved, by=TIMEOUT, at=_moment(now()), comment="")
    found = _created(store, prefix, decision)
    store.put(approval_key(prefix), json.dumps({**asked, "delivered": True}).encode())
    return _record(store, prefix, asked, found, event)


def answer(store: ObjectStore, prefix: str, tokens: TaskTokens) -> bool:
    """Whether there is a decision; then the state that waits for it has been told."""
    asked, decision = _read(store, approval_key(prefix)), _read(store, decision_key(prefix))
    if asked is None or decision is None:
        return False
    if asked.get("token"):
        record = _record(store, prefix, asked, cast(Decision, decision), asked)
        tokens.send_success(asked["token"], json.dumps(record))
        store.put(approval_key(prefix), json.dumps({**asked, "delivered": True}).encode())
    return True


def pending(store: ObjectStore, prefix: str) -> dict[str, Any] | None:
    """What is asked (``message``, ``approvers``, ``level``, ``requested_at`` …) and not decided yet; else None."""
    asked = _read(store, approval_key(prefix))
    return asked if asked is not None and _read(store, decision_key(prefix)) is None else None


def _asked(event: ApprovalEvent, store: ObjectStore, now: float) -> dict[str, Any]:
    scratch = Scratch()
    try:
        message = Inputs(cast(Event, event), store, scratch).values().get("message", "")
    finally:
        scratch.close()
    text = message if isinstance(message, str) else dumps(message) if _is_json(message) else str(message)
    run = event["run"]
    return {
        "run": dict(run),
        "task": event["task"],
        "message": text,
        "digest": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        "approvers": list(event.get("approvers", ())),
        "level": event.get("level", 0),
        "timeout": event.get("timeout"),
        "requested_at": _moment(now),
        "execution": (run.get("execution") or "").partition("/")[0],
        "token": event.get("token"),
        **{key: event[key] for key in ("fields", "inline") if key in event},
    }


def _is_json(value: Any) -> bool:
    return isinstance(value, (dict, list, int, float)) or value is None


def _is_stale(store: ObjectStore, prefix: str, earlier: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether an earlier decision is about another question, or is a rejection that has ended its run already."""
    decision = _read(store, decision_key(prefix))
    if decision is None:
        return False
    if earlier["digest"] != asked["digest"]:
        return True
    over = earlier["execution"] != asked["execution"] and earlier.get("delivered", False)
    return over and not decision["approved"]


def _all_of(*lists: list[str]) -> list[str]:
    # Nobody in particular was asked: anybody may decide.
    return list(dict.fromkeys(name for names in lists for name in names)) if all(lists) else []


def _created(store: ObjectStore, prefix: str, decision: Decision) -> Decision:
    """The decision that is on record: this one, or the one that was there before."""
    key = decision_key(prefix)
    store.create(key, json.dumps(decision).encode())
    # Read back in any case: after a lost answer a store may find its own object.
    return cast(Decision, json.loads(store.get(key)))


def _record(
    store: ObjectStore, prefix: str, asked: dict[str, Any], decision: Decision, wanted: Mapping[str, Any]
) -> Record:
    envelope = _committed(store, prefix, asked, decision)
    size = envelope.value.size
    event = {"task": asked["task"], "inline": size}
    if wanted.get("fields"):
        event["fields"] = wanted["fields"]
    scratch = Scratch()
    try:
        return record_of_committed(cast(Event, event), store, prefix, envelope, scratch)
    finally:
        scratch.close()


def _committed(store: ObjectStore, prefix: str, asked: dict[str, Any], decision: Decision) -> Envelope:
    """The envelope of the decision, committed as the result of the task."""
    found = find_envelope(store, prefix)
    if found is not None:
        return found
    stored, _ = store_value(dict(decision), store, prefix, Scratch())
    requested = datetime.fromisoformat(asked["requested_at"]).timestamp()
    envelope = Envelope(
        dag=asked["run"]["dag"],
        run=asked["run"]["id"],
        task=asked["task"],
        index=asked["run"].get("index", ""),
        value=stored,
        type="builtins.dict",
        attempt=asked["level"],
        started_at=requested,
        duration_seconds=datetime.fromisoformat(decision["at"]).timestamp() - requested,
        peak_memory_mib=0.0,
        compute="person",
        code={},
        input_digest=asked["digest"],
        metadata={"message": asked["message"]},
    )
    return commit(store, prefix, envelope) or envelope


def _read(store: ObjectStore, key: str) -> dict[str, Any] | None:
    data = store.get_or_none(key)
    return None if data is None else json.loads(data)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()

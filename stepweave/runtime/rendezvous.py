"""Gates: a task inside a prime part of a DAG waits for tasks of other branches, without polling and without a race.

A gate is one item of a :class:`GateTable`. Its own branch *waits* there with a task token; the other branches *arrive*.
Both are one atomic update that answers with the item as it is afterwards, so one of them sees the gate complete, and
that one sends the token's answer. A repeated call changes nothing and may send the answer again, which is harmless.

    {"run", "gate", "await": [task…], "strict", "token"}                     the gate waits
    {…, "early": [task…], "rule": "one_success"}                             and for as many of these as decide the rule
    {"run", "arrived": {task: record}, "gates": {task: [gate…]}}             tasks are done
    {"run", "stopped": [task…], "because": {"status", "by", "own"?: {"task", "status"}}, "gates": {…}}
                                                                             tasks did not run, and why; the one with
                                                                             which it began may have a status of its own
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from stepweave.errors import UsageError
from stepweave.runtime.events import Json

UPSTREAM_FAILED = "UpstreamFailed"
UPSTREAM_SKIPPED = "UpstreamSkipped"
_MOST_CAUSES = 20
"""As many as state machines name (``stepweave.asl.conditions``). Step Functions refuses a cause of more than 32,768
characters, and the gate would stay shut
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate as it is after an update."""

    arrivals: Mapping[str, Json] = field(default_factory=dict)
    """Record of each task that has arrived; the first one of a task stays."""
    token: str | None = None
    """Task token of the branch that waits; None when it does not wait yet."""
    awaited: tuple[str, ...] = ()
    """Tasks that must arrive, in the order of the answer."""
    strict: bool = False
    """Fail at the first arrival that is not a success."""
    early: tuple[str, ...] = ()
    """Tasks of which so many must arrive that ``rule`` is decided."""
    rule: str = ""


class GateTable(Protocol):
    """Gates by run and name. Every method is atomic, and answers with the gate afterwards."""

    def wait(self, run: str, gate: str, waiting: Gate) -> Gate:
        """The gate, now with the token of ``waiting`` and all it waits for; a later token replaces an earlier one."""

    def arrive(self, run: str, gate: str, records: Mapping[str, Json]) -> Gate:
        """The gate, now with these arrivals, except for tasks that had arrived before."""


class TaskTokens(Protocol):
    """Completion of states that wait for a task token; an answer to a token that is done with is ignored."""

    def send_success(self, token: str, output: str) -> None:
        """End the state with ``output``, a JSON text."""

    def send_failure(self, token: str, error: str, cause: str) -> None:
        """End the state with an error."""


def rendezvous(event: Mapping[str, Any], table: GateTable, tokens: TaskTokens) -> dict[str, list[str]]:
    """``{"opened": [gate…]}``: the gates that this event completed, after their tokens were answered."""
    run = event["run"]
    if "token" in event:
        gates = {event["gate"]: _wait(event, run, table)}
    elif "gates" in event:
        gates = _arrive(event, run, table)
    else:
        raise UsageError(
            f"a rendezvous has the keys {sorted(event)}; expected 'token' (a gate) or 'gates' (a signal)"
        )
    return {"opened": [name for name, gate in gates.items() if _answer(gate, tokens)]}


def _wait(event: Mapping[str, Any], run: str, table: GateTable) -> Gate:
    waiting = Gate(
        token=event["token"],
        awaited=tuple(event["await"]),
        strict=event.get("strict", False),
        early=tuple(event.get("early", ())),
        rule=event.get("rule", ""),
    )
    return table.wait(run, event["gate"], waiting)


def _arrive(event: Mapping[str, Any], run: str, table: GateTable) -> dict[str, Gate]:
    records: dict[str, Json] = dict(event.get("arrived", {}))
    if "stopped" in event:
        because = dict(event["because"])
        own = because.pop("own", None)
        for task in event["stopped"]:
            mine = {"status": own["status"]} if own is not None and own["task"] == task else {}
            records[task] = {**because, **mine}
    by_gate: dict[str, dict[str, Json]] = {}
    for task, names in event["gates"].items():
        if task in records:
            for name in names:
                by_gate.setdefault(name, {})[task] = records[task]
    return {name: table.arrive(run, name, arrivals) for name, arrivals in by_gate.items()}


def _answer(gate: Gate, tokens: TaskTokens) -> bool:
    """Whether the gate opened: nobody waits yet, or somebody is still missing, and it did not."""
    if gate.token is None:
        return False
    if gate.strict:
        culprits = {task: gate.arrivals[task] for task in gate.awaited if _hinders(gate.arrivals.get(task))}
        if culprits:
            skipped = all(record["status"] == "skipped" for record in culprits.values())
            cause = json.dumps({"by": _causes(culprits)})
            tokens.send_failure(gate.token, UPSTREAM_SKIPPED if skipped else UPSTREAM_FAILED, cause)
            return True
    if any(task not in gate.arrivals for task in gate.awaited) or not _is_decided(gate):
        return False
    # Of the others that have not arrived, nothing is said: whoever reads the answer finds nothing there.
    records = {task: gate.arrivals[task] for task in (*gate.awaited, *gate.early) if task in gate.arrivals}
    tokens.send_success(gate.token, json.dumps({"records": records}))
    return True


_DECIDING = {
    "one_success": frozenset({"success"}),
    "one_failed": frozenset({"failed", "upstream_failed"}),
    "one_done": frozenset({"success", "failed"}),
}
"""Statuses of which one decides a rule before everybody has arrived."""


def _is_decided(gate: Gate) -> bool:
    arrived = [gate.arrivals[task]["status"] for task in gate.early if task in gate.arrivals]
    return len(arrived) == len(gate.early) or not _DECIDING[gate.rule].isdisjoint(arrived)


def _hinders(record: Json) -> bool:
    return record is not None and record["status"] != "success"


def _causes(culprits: Mapping[str, Json]) -> list[str]:
    """Ids of tasks at the root of it: what a stopped task says, else the task itself; each once, in order."""
    causes: dict[str, None] = {}
    for task, record in culprits.items():
        by = record.get("by") or [task]
        causes.update(dict.fromkeys([by] if isinstance(by, str) else by))
    return list(causes)[:_MOST_CAUSES]

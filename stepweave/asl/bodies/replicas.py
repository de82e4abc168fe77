"""Replicas and their quorum: the task runs several times side by side, and enough results must agree.

    x  =  Parallel of [x: copy 1], [x: copy 2], ...;  then  x: quorum

Each replica keeps its result for itself; the quorum call makes the value on which enough of them agree the task's.
Replicas that fail count as results that agree with nothing; a skip is the task's.

Price on success: the Parallel, each replica, and the quorum call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stepweave.asl import names, states
from stepweave.asl.bodies.carrying import carry_out
from stepweave.asl.bodies.outlet import BranchOutlet
from stepweave.asl.bodies.way import Way
from stepweave.asl.states import State


def replicas(way: Way) -> dict[str, State]:
    """The states of ``way`` with its replicas."""
    task = way.task
    quorum = f"{task.id}: quorum"
    state: State = {
        "Type": "Parallel",
        "Comment": f"{task.replicas} replicas, {task.quorum} must agree",
        "Branches": [_branch(way, number) for number in range(1, task.replicas + 1)],
        "Output": {},
        "Next": quorum,
    }
    need = {"of": task.replicas, "need": task.quorum}
    settle = states.control_call(f"result of {task.id}", {**way.event, "quorum": need})
    way.outlet.succeed(settle, "{% $states.result.Payload %}")
    caught = way.outlet.catchers()
    if caught:
        state["Catch"] = caught
        settle["Catch"] = way.outlet.catchers()
    return {way.base: state, quorum: settle}


def _branch(way: Way, number: int) -> State:
    base = names.copy(way.task.id, number)
    outlet = _Replica(base)
    event = {key: part for key, part in way.event.items() if key not in ("inline", "fields", "tries")}
    copy = replace(
        way,
        base=base,
        part=f"_copy{number}",
        task=replace(way.task, fields=()),
        event={**event, "replica": number},
        outlet=outlet,
    )
    found = carry_out(copy)
    return {"StartAt": next(iter(found)), "States": {**found, **outlet.states()}}


class _Replica(BranchOutlet):
    """The outlet of one replica: its result is counted later."""

    def succeed(self, state: State, record: Any) -> None:
        state["Output"] = {"status": "success"}
        state["End"] = True

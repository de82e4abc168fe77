"""Several attempts side by side, of which the first to succeed counts: hedged attempts, and replicas of quorum 1.

    x  =  Parallel of  [x: copy 1]  and  [x: hedge (a Wait), x: copy 2]

A Parallel waits for all its branches unless one fails; so a branch that succeeds *fails* with the error ``Won`` and the
record as its cause, which ends the others, and the Parallel's catcher goes on. A skip ends them as well. Where all
fail, the task has failed with the error of the first.

Price on success: the Parallel, a Fail, and the states of each branch that began: a hedged task on Lambda costs 4
instead of 1 (and 1 more where a condition reads a part of its value).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from stepweave.asl import names, states
from stepweave.asl.bodies.carrying import carry_out
from stepweave.asl.bodies.outlet import BranchOutlet, passing
from stepweave.asl.bodies.way import Way
from stepweave.asl.failures import WON
from stepweave.asl.states import State

MAX_INLINE_BYTES = 12_000
"""Longest value that travels in a cause of 32,768 characters, in which each of its characters may take two
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEventExecutionDataDetails.html)."""


def race(way: Way, waits: Sequence[int]) -> dict[str, State]:
    """The states of ``way`` with one attempt after each of ``waits`` seconds."""
    event = dict(way.event)
    if way.task.fields:
        # Collected afterwards: numbers that a cause spells out lose digits, and parts of a value may be long.
        event = {key: part for key, part in event.items() if key not in ("inline", "fields")}
    elif "inline" in event:
        event["inline"] = min(event["inline"], MAX_INLINE_BYTES)
    copy = replace(way, event=event, task=replace(way.task, fields=()))
    lost = f"{way.task.id}: all failed"
    state: State = {
        "Type": "Parallel",
        "Comment": f"the first of {len(waits)} attempts to succeed",
        "Branches": [_branch(copy, number, wait) for number, wait in enumerate(waits, 1)],
        "Output": "{% $states.result[0] %}",
        "Next": lost,
    }
    won, further = _won(way)
    state["Catch"] = [{"ErrorEquals": [WON], **won}, *way.outlet.catchers()]
    return {way.base: state, **further, **way.outlet.failing(lost)}


def _won(way: Way) -> tuple[dict[str, Any], dict[str, State]]:
    name = f"{way.task.id}: won"
    if not way.task.fields:
        return passing(
            way.outlet, "$parse($states.errorOutput.Cause)", name, later="$parse($states.input.Cause)"
        )
    collect = states.batch_collect(way.task, way.event)
    way.outlet.succeed(collect, "{% $states.result.Payload %}")
    caught = way.outlet.catchers()
    return {"Next": name}, {name: {**collect, **({"Catch": caught} if caught else {})}}


def _branch(way: Way, number: int, wait: int) -> State:
    base = names.copy(way.task.id, number)
    outlet = _Racing(base)
    found = carry_out(replace(way, base=base, part=f"_copy{number}", outlet=outlet)) | outlet.states()
    first = next(iter(found))
    if not wait:
        return {"StartAt": first, "States": found}
    hedge = names.hedge(way.task.id, number)
    return {"StartAt": hedge, "States": {hedge: {"Type": "Wait", "Seconds": wait, "Next": first}, **found}}


class _Racing(BranchOutlet):
    """The outlet of one attempt: its success ends the others."""

    def succeed(self, state: State, record: Any) -> None:
        state["Output"] = record
        state["Next"] = self._won

    def states(self) -> dict[str, State]:
        won: State = {"Type": "Fail", "Error": WON, "Cause": "{% $string($states.input) %}"}
        return {self._won: won, **super().states()}

"""One item of a mapped node: the states that run it, and what each item is handed.

A task is one state that reads its run from its input, where that is all it is; what takes more states, and every group,
first keeps what it was handed in a variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stepweave.asl import failures, names
from stepweave.asl.bodies.called import keeps_input
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.field_order import in_order
from stepweave.asl.frames import Element
from stepweave.asl.jumps import Jumps
from stepweave.asl.retries import policies
from stepweave.asl.scopes import letters
from stepweave.asl.scopes.binding import bind, free_variables
from stepweave.asl.scopes.bodies import showing_index
from stepweave.asl.states import State
from stepweave.graph.model import Task

NUMBER = "$states.context.Map.Item.Value"
"""In an ItemSelector: the number of the item; the items of every map are 0, 1, 2, …"""


@dataclass(frozen=True, slots=True)
class Item:
    """What runs per item."""

    start: str
    states: dict[str, State]
    handed: dict[str, Any]
    """The ItemSelector."""


def placed(
    wiring: Wiring, start: str, states: Mapping[str, State], further: Mapping[str, str], keeps_input: bool
) -> Item:
    """``states``, emitted as at the root, as what runs per item: their free variables come with the item.

    Args:
        wiring: Of the node.
        start: Name of the first state.
        states: What runs per item.
        further: What else an item is handed.
        keeps_input: All states get the input of the first one, so that nothing needs a variable.
    """
    node = wiring.task.id
    variable = names.scope(node)
    base = "$states.input" if keeps_input else f"${variable}"
    shown = showing_index(states)
    own = [name for name in free_variables(shown) if name != variable]
    bound = in_order(bind(shown, {variable: base, **{name: f"{base}.{name}" for name in own}}))
    handed: dict[str, Any] = {"run": f"{{% {_run(wiring)} %}}", **further}
    for name in own:
        if name != "run":
            handed[name] = f"{{% {_value(wiring, name)} %}}"
    if keeps_input:
        return Item(start, bound, handed)
    begin = names.scope_begin(node)
    keep: State = {"Type": "Pass", "Assign": {variable: "{% $states.input %}"}, "Next": start}
    return Item(begin, {begin: keep, **bound}, handed)


def _run(wiring: Wiring) -> str:
    """JSONata for the run of an item: that around it, with the item's place in it.

    Gates are those of one execution, and inside a body of one item.
    """
    depth = wiring.scene.places.depths[wiring.task.id]
    index = f"$run.index & '/' & {NUMBER}" if depth else f"$string({NUMBER})"
    return f"$merge([$run, {{'index': {index}, 'execution': $run.execution & '/' & {NUMBER}}}])"


def _value(wiring: Wiring, name: str) -> str:
    """JSONata, where the map stands, for a free variable of the item: of a record, what a body may look at."""
    for task in wiring.scene.places.tasks:
        if names.outer(task) == name:
            record = wiring.record_of(task)
            parts = ("status", "fields", "chosen", "rounds", "lost")
            return "{" + ", ".join(f"'{part}': {record}.{part}" for part in parts) + "}"
    return f"${name}"


class ItemJumps(Jumps):
    """Where the task of an item goes when it did not succeed: to a state that answers with its letter."""

    def __init__(self, wiring: Wiring, *, catches: bool) -> None:
        """``catches``: a failure is the item's; else it ends the run, and only a skip is."""
        assert wiring.task.expansion is not None
        self._catches = catches
        self.scene, self._task = wiring.scene, wiring.task.id
        self._in_batches = wiring.task.expansion.batch_size is not None
        self.used = False

    @property
    def variable(self) -> str:
        """The variable that holds how the item ended."""
        return f"e{names.variable(self._task)[1:]}"

    def catch(self, element: Element) -> list[dict[str, Any]]:
        if not self._catches:
            skipped = failures.skipped(self._task)
            return [self.catcher([failures.SKIP], element, skipped.stop, skipped.own)]
        stoppable = self.scene.graph.dag.max_failed_tasks is not None
        ended = failures.failed(self._task, stoppable=stoppable)
        return [self.catcher(errors, element, ended.stop, ended.own) for errors in failures.ALL_ERRORS]

    def jump(
        self, element: Element, stop: Mapping[str, Any], own: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], str]:
        self.used = True
        record = stop if own is None else own
        kept = {"status": record["status"]}
        if self._in_batches:
            kept["size"] = f"{{% ${names.scope(self._task)}.size %}}"
        return {self.variable: kept}, names.end_of(names.item(self._task))


class ItemWiring(Wiring):
    """The wiring of the task of one item: nothing follows it, and it sees the outside through free variables."""

    def __init__(self, outer: Wiring, *, catches: bool) -> None:
        assert outer.task.expansion is not None
        self.item_jumps = ItemJumps(outer, catches=catches)
        super().__init__(outer.scene, outer.element, self.item_jumps, self._answer, outer.emit_body)
        self.batch_size = outer.task.expansion.batch_size
        self._catches = catches
        self._task = replace(outer.task, expansion=None, optional=False, fields=())

    @property
    def task(self) -> Task:
        return self._task

    @property
    def fail_fast(self) -> bool:
        return not self._catches

    @property
    def keeps_input(self) -> bool:
        """Whether what the item was handed stays the input of every state."""
        return keeps_input(self.task, self.placement)

    def event(self) -> dict[str, Any]:
        event = super().event()
        event.pop("inline", None)  # consumers read items from the store
        if self.keeps_input:
            event["run"] = "{% $states.input.run %}"
        if self.batch_size:
            event["batch"] = self.batch_size
            allowed = {error: policy.attempts for policy in policies(self.task) for error in policy.on}
            if any(allowed.values()):
                # An item that may be tried again ends its attempt; the next one finds what was committed.
                event["tries"] = {error: number for error, number in allowed.items() if number}
        return event

    def record_of(self, upstream: str) -> str:
        return f"${names.outer(upstream)}"

    def useful_record_of(self, upstream: str) -> str | None:
        return None

    def succeed(self, state: State, record: Any) -> None:
        self._answer(self.element, state, record)

    def _answer(self, element: Element, state: State, record: Any) -> State:
        state["Output"] = "{% $states.result.Payload.items %}" if self.batch_size else letters.SUCCESS
        state["End"] = True
        return state

    def end(self) -> dict[str, State]:
        """The state that answers for an item, or each item of a batch, that did not succeed, if a path leads there."""
        if not self.item_jumps.used:
            return {}
        ended = f"${self.item_jumps.variable}"
        letter = letters.of_status(f"{ended}.status")
        answer = f"$pad('', {ended}.size, {letter})" if self.batch_size else letter
        name = names.end_of(names.item(self._task.id))
        return {name: {"Type": "Pass", "Output": f"{{% {answer} %}}", "End": True}}

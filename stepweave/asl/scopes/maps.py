"""A mapped node: a Map over the numbers of its items, and a look at how they ended.

list written in the DAG     x (Map) → x: verdict
list known when it runs     x: items → x: size? ┬ none ──────▶ skipped
                                                ├ a few ─────▶ x (Map, inline) ──────────┬▶ x: verdict
                                                └ many ──────▶ x (d) (Map, distributed) ─┘

Price: 2 transitions and those of the items; 2 more where the number of items is not known beforehand. An item of a
task is 1 transition, that of a group 1 and its tasks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stepweave.asl import failures, measure, names, states
from stepweave.asl.bodies.called import called
from stepweave.asl.bodies.outlet import TaskOutlet, passing
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.scopes import letters
from stepweave.asl.scopes.binding import rename
from stepweave.asl.scopes.bodies import body_inside
from stepweave.asl.scopes.fields import item_parts
from stepweave.asl.scopes.items import NUMBER, Item, ItemWiring, placed
from stepweave.asl.scopes.limits import (
    DISTRIBUTED_CONCURRENCY,
    ITERATION_EVENTS,
    MAX_INLINE_ITEMS,
    most_inline,
    written_units,
)
from stepweave.asl.scopes.scope import Repeat
from stepweave.asl.scopes.values import written_parts
from stepweave.asl.states import State
from stepweave.asl.text import comment, quoted
from stepweave.graph.constructs import Expansion
from stepweave.graph.model import Task
from stepweave.graph.specs import written_count
from stepweave.planning.needs import loses_items
from stepweave.planning.profiles import LAMBDA_MAX_SECONDS


def mapped(wiring: Wiring) -> dict[str, State]:
    """The states of a mapped node, the first one first."""
    return _Mapped(wiring).states()


def entry(task: Task) -> str:
    """Name of the first state of the mapped node ``task``."""
    return task.id if written_units(task) is not None else names.items(task.id)


_COUNTED = "[0..$states.input.b - 1]"
"""JSONata for the numbers of all items, once they are counted."""


class _Mapped:
    def __init__(self, wiring: Wiring) -> None:
        assert wiring.task.expansion is not None
        self.wiring, self.node = wiring, wiring.task.id
        self.expansion: Expansion = wiring.task.expansion
        # Where nothing is caught, the first failure ends the run; a tolerance has to see failures.
        tolerant = self.expansion.tolerated_count or self.expansion.tolerated_percent
        self.catches = bool(tolerant) or not wiring.fail_fast
        self.outlet = TaskOutlet(wiring)

    def states(self) -> dict[str, State]:
        task, units = self.wiring.task, written_units(self.wiring.task)
        if units == 0:
            return self._written_empty()
        item = self._group() if task.body is not None else self._task()
        repeats = self.wiring.scene.repeats
        each = measure.worst_case(item.states, repeats) + ITERATION_EVENTS
        size = len(json.dumps(item.states, separators=(",", ":")))
        most = most_inline(task, each, size, self.wiring.scene.inline_events)
        if units is not None:
            distributed = units > most
            numbers = str(list(range(units))) if units <= 10 else f"[0..{units - 1}]"
            repeats[self.node] = Repeat(units, 0 if distributed else units)
            return {self.node: self._map(item, numbers, distributed=distributed), **self._verdict()}
        maps = self._few_and_many(item, most) if most else self._many_only(item)
        return {names.items(self.node): self._items(), **self._size(most), **maps, **self._verdict()}

    def _few_and_many(self, item: Item, most: int) -> dict[str, State]:
        """The Map for up to ``most`` items, and that for more."""
        repeats, many = self.wiring.scene.repeats, self._many(self.node)
        repeats[self.node], repeats[many] = Repeat(1, most), Repeat(1, 0)
        copy = Item(self._many(item.start), rename(item.states, self._many), item.handed)
        repeats.update({self._many(name): repeats[name] for name, _ in _inside(item) if name in repeats})
        return {
            self.node: self._map(item, _COUNTED, distributed=False),
            many: self._map(copy, _COUNTED, distributed=True),
        }

    def _many_only(self, item: Item) -> dict[str, State]:
        """The Map of a body of which one alone may fill a history."""
        self.wiring.scene.repeats[self.node] = Repeat(1, 0)
        return {self.node: self._map(item, _COUNTED, distributed=True)}

    # What runs per item.

    def _task(self) -> Item:
        wiring = ItemWiring(self.wiring, catches=self.catches)
        found = called(wiring)
        found = {**found, **wiring.end()}
        start = next(iter(found))
        renamed = {self.node: names.item(self.node)}
        found = rename(found, lambda name: renamed.get(name, name))
        return placed(
            self.wiring, renamed.get(start, start), found, self._size_of_batch(), wiring.keeps_input
        )

    def _group(self) -> Item:
        body = body_inside(self.wiring, is_item=True, copies=MAX_INLINE_ITEMS, catches=self.catches)
        return placed(self.wiring, body["StartAt"], body["States"], self._parts(), keeps_input=False)

    def _parts(self) -> dict[str, str]:
        """Parts of the item that the state machine itself reads in the body."""
        parts = item_parts(self.wiring.task)
        if not parts:
            return {}
        if written_units(self.wiring.task) is None:
            return {"item": f"{{% $states.input.fields[{NUMBER}] %}}"}
        items = quoted(json.dumps(written_parts(self.expansion, parts)))
        return {"item": f"{{% $parse({items})[{NUMBER}] %}}"}

    def _size_of_batch(self) -> dict[str, str]:
        """How many items a batch has: all as many, but the last."""
        size = self.expansion.batch_size
        if not size:
            return {}
        count = written_count(self.expansion)
        all_items = "$states.input.n" if count is None else str(count)
        return {"size": f"{{% $min([{size}, {all_items} - {size} * {NUMBER}]) %}}"}

    # The states around it.

    def _items(self) -> State:
        """The call that counts the items."""
        state = states.control_call(f"items of {self.node}", self.wiring.items_event())
        state["TimeoutSeconds"] = LAMBDA_MAX_SECONDS
        state["Output"] = "{% $states.result.Payload %}"
        state["Next"] = names.size(self.node)
        return self._caught(state)

    def _size(self, most: int) -> dict[str, State]:
        """The choice by the number of items, or of batches."""
        few = {"Condition": f"{{% $states.input.b in [1..{most}] %}}", "Next": self.node}
        more = {
            "Condition": f"{{% $states.input.b > {most} %}}",
            "Next": self._many(self.node) if most else self.node,
        }
        state: State = {
            "Type": "Choice",
            "Comment": f"inline up to {most}" if most else "whether there are items",
            "Choices": [few, more] if most else [more],
        }
        return {names.size(self.node): {**state, **self._skipping()}}

    def _written_empty(self) -> dict[str, State]:
        """The states of a node whose list was written in the DAG, and is empty: it is always skipped.

        A choice that never goes on, so that what comes after it is reached by some path, as Step Functions asks.
        """
        onward, further = passing(self.outlet, "$states.input", names.done(self.node), later="$states.input")
        state: State = {
            "Type": "Choice",
            "Comment": "no items",
            "Choices": [{"Condition": "{% false %}", **onward}],
        }
        return {self.node: {**state, **self._skipping()}, **further}

    def _skipping(self) -> State:
        """What a choice does by default where there are no items: the node is skipped."""
        onward = dict(self.outlet.onward(failures.skipped(self.node)))
        return {"Default": onward.pop("Next"), "Output": self._shown("skipped"), **onward}

    def _map(self, item: Item, numbers: str, *, distributed: bool) -> State:
        mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"} if distributed else {"Mode": "INLINE"}
        most = self.expansion.max_concurrency or (self._at_once() if distributed else None)
        state: State = {
            "Type": "Map",
            "Comment": comment(self.wiring.task.doc or self.node),
            "Items": f"{{% {numbers} %}}",
            "ItemSelector": item.handed,
            **({"MaxConcurrency": most} if most else {}),
            "ItemProcessor": {"ProcessorConfig": mode, "StartAt": item.start, "States": item.states},
            "Output": f"{{% {self._record()} %}}",
            "Next": names.verdict(self.node),
        }
        return self._caught(state)

    def _at_once(self) -> int | None:
        """How many items run at once where the DAG does not say; jobs wait for each other in their queue."""
        placement = self.wiring.scene.placements.get(self.node)
        return None if placement is not None and placement.is_job else DISTRIBUTED_CONCURRENCY

    def _caught(self, state: State) -> State:
        caught = self.outlet.catchers()
        return {**state, "Catch": caught} if caught else state

    def _record(self) -> str:
        task = self.wiring.task
        return letters.verdict(
            task.id, self.expansion, self._depth() > 0, optional=task.optional, loses=self._loses()
        )

    def _loses(self) -> bool:
        """Whether somebody must be told which items do not count although they have a value."""
        task, graph = self.wiring.task, self.wiring.scene.graph
        return any(task.id in other.upstream and loses_items(task, other) for other in graph.tasks)

    def _many(self, name: str) -> str:
        return names.distributed(name, self._depth())

    def _depth(self) -> int:
        return self.wiring.scene.places.depths[self.node]

    def _shown(self, status: str) -> dict[str, Any]:
        index = {"index": "{% $run.index %}"} if self._depth() else {}
        return {"node": self.node, **index, "status": status}

    def _verdict(self) -> dict[str, State]:
        """The choice by how the items ended; its input is the node's record."""
        onward, further = passing(self.outlet, "$states.input", names.done(self.node), later="$states.input")
        state: State = {
            "Type": "Choice",
            "Comment": "how the items ended",
            "Choices": [{"Condition": "{% $states.input.status = 'success' %}", **onward}],
        }
        if self.wiring.fail_fast:
            failed = names.end_of(names.verdict(self.node))
            skipped = {"Condition": "{% $states.input.status = 'skipped' %}"}
            state["Choices"].append(skipped | dict(self.outlet.onward(failures.skipped(self.node))))
            further[failed] = {"Type": "Fail", "Error": "TooManyFailedItems", "Cause": self.node}
            return {names.verdict(self.node): {**state, "Default": failed}, **further}
        status = "$states.input.status"
        lost = {"lost": "{% [$states.input.lost] %}"} if self._loses() else {}
        ended = failures.Ended(
            {"status": f"{{% {status} %}}", "by": [self.node], "n": "{% $states.input.n %}", **lost},
            {"status": f"{{% {status} = 'skipped' ? 'skipped' : 'upstream_failed' %}}", "by": [self.node]},
        )
        rest = dict(self.outlet.onward(ended))
        return {names.verdict(self.node): {**state, "Default": rest.pop("Next"), **rest}, **further}


def _inside(item: Item) -> Iterator[tuple[str, State]]:
    return measure.every_state({"States": item.states})

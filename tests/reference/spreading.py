"""How items are spread: how many there are, which go together, when each may begin, how many may fail."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, prod

from stepweave.graph.constructs import Expansion
from stepweave.graph.model import Binding, FromTask, ListOf, Literal, Task
from tests.reference.rules import FAILURES
from tests.reference.worlds import Index, World


def item_count(task: Task, index: Index, world: World, succeeded: Callable[[str], bool]) -> int | None:
    """Number of items there; None if what should be a list is none, as the value of a task that did not succeed."""
    assert task.expansion
    lengths = [_written_length(binding) for _, binding in task.expansion.arguments]
    known = [length for length in lengths if length is not None]
    if len(known) == len(lengths):
        return prod(known) if task.expansion.how == "product" else known[0]
    sources = [one.task for _, one in task.expansion.arguments if isinstance(one, FromTask)]
    return world.items[task.id, index] if all(succeeded(source) for source in sources) else None


def _written_length(binding: Binding) -> int | None:
    """Length of a list written in the DAG function; None for one known only at run time."""
    if isinstance(binding, Literal):
        return len(json.loads(binding.json))
    return len(binding.items) if isinstance(binding, ListOf) else None


def batches(count: int, size: int | None, begun: int) -> Iterator[range]:
    """The batches that are left when ``begun`` items have begun, each the numbers of its items.

    >>> list(batches(5, 2, 2))
    [range(2, 4), range(4, 5)]
    """
    step = size or 1
    for first in range(begun, count, step):
        yield range(first, min(first + step, count))


@dataclass(slots=True)
class Begin:
    """A place in which something may begin at second ``at``; ``free_at`` says when the next may."""

    at: float
    _places: list[float]

    def free_at(self, second: float) -> None:
        heapq.heappush(self._places, second)


def schedule(most: int | None) -> Iterator[Begin]:
    """When the first, second, … may begin where at most ``most`` run at once: in order, each where first is room."""
    if not most:
        while True:
            yield Begin(-inf, [])
    places = [-inf] * most
    while True:
        yield Begin(heapq.heappop(places), places)


def tolerated(expansion: Expansion, statuses: Sequence[str]) -> bool:
    """Whether so many items may fail, by number or by share."""
    failed = sum(status in FAILURES for status in statuses)
    by_number = failed <= expansion.tolerated_count
    by_share = failed * 100 <= expansion.tolerated_percent * len(statuses)
    return by_number or by_share

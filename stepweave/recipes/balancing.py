"""Work in even parts, so that no worker waits for another one."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from stepweave.authoring.tasks import task
from stepweave.errors import DataError


@task
def even_parts(items: Sequence[Any], parts: int, weights: Sequence[float] | None = None) -> list[list[Any]]:
    """The items in ``parts`` lists of about the same weight (sizes of files, rows …; without weights, one each).

    ``score.expand(rows=even_parts(rows, parts=8, weights=sizes))``. The heaviest goes first, into the part that is the
    lightest so far: the heaviest part weighs at most 4/3 of what is possible (Graham, 1969). Items keep their order
    within a part; there is no empty part.
    """
    weight = [1.0] * len(items) if weights is None else list(weights)
    if parts < 1 or len(weight) != len(items) or any(one < 0 for one in weight):
        raise DataError(
            f"even_parts: got {len(items)} items, {len(weight)} weights, parts={parts}; "
            "expected one weight of 0 or more for each item, and at least 1 part"
        )
    found: list[list[int]] = [[] for _ in range(min(parts, len(items)))]
    lightest = [(0.0, 0, number) for number in range(len(found))]
    for index in sorted(range(len(items)), key=lambda index: -weight[index]):
        total, count, number = heapq.heappop(lightest)
        found[number].append(index)
        heapq.heappush(lightest, (total + weight[index], count + 1, number))
    return [[items[index] for index in sorted(part)] for part in found]

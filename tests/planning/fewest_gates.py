"""The fewest gates that any choice of cuts needs, by trying them all. For graphs of up to nine tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

Upstream = Mapping[str, Sequence[str]]


def fewest_gates(reduced: Upstream) -> int:
    """Gated tasks in the smallest set of cuts that leaves ``reduced`` (transitively reduced) series-parallel."""
    joined = [task for task, upstream in reduced.items() if upstream]
    for count in range(len(joined) + 1):
        for gated in combinations(joined, count):
            for kept in product(*(_proper_subsets(reduced[task]) for task in gated)):
                if is_series_parallel({**reduced, **dict(zip(gated, kept, strict=True))}):
                    return count
    raise AssertionError("a graph without edges is series-parallel")


def _proper_subsets(items: Sequence[str]) -> list[tuple[str, ...]]:
    return [subset for size in range(len(items)) for subset in combinations(items, size)]


def is_series_parallel(reduced: Upstream) -> bool:
    """Whether the order that ``reduced`` spans holds no N: a < c, b < c, b < d, and no other relation among the four.

    Such orders are exactly the series-parallel ones (Valdes, Tarjan, Lawler, 1982, theorem 1).
    """
    above: dict[str, set[str]] = {}
    for task, upstream in reduced.items():
        above[task] = {*upstream, *(a for up in upstream for a in above[up])}
    related = {task: above[task] | {other for other in reduced if task in above[other]} for task in reduced}
    for c in reduced:
        for a, b in product(above[c], repeat=2):
            if a != b and a not in related[b]:
                for d in reduced:
                    if b in above[d] and a not in related[d] and a != d and c not in related[d] and c != d:
                        return False
    return True

"""Series-parallel contraction: the quotient of a reduced DAG by its series-parallel modules.

Two rules, applied until neither fits (Valdes, Tarjan, Lawler, "The recognition of series parallel digraphs",
1982, for the vertex form on a transitively reduced graph):

    parallel   u and v have the same parents and the same children        →  one node that stands for both
    series     v is the only child of u, and u the only parent of v       →  one node that stands for u, then v

A graph that contracts to one node is series-parallel. Twins are found by an order-free hash of the neighbour
sets (Zobrist hashing), kept up to date edge by edge, so the whole takes time near linear in the number of
edges.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from stepweave.planning.model import Plan

_MASK = (1 << 64) - 1


@dataclass(slots=True, eq=False)
class Module:
    """A part of the graph that outside nodes cannot tell apart: a leaf, or a composition of modules."""

    kind: Literal["leaf", "series", "parallel"]
    parts: deque[Module]
    plan: Plan | None = None
    """What a leaf stands for."""
    rank: int = 0
    """Smallest position, in the order written, of the tasks inside; orders branches."""


def leaf(plan: Plan, rank: int) -> Module:
    """The module that stands for one step."""
    return Module("leaf", deque(), plan, rank)


def compose(kind: Literal["series", "parallel"], first: Module, second: Module) -> Module:
    """``first`` and ``second`` composed, flat, reusing the longer list of the two (both are consumed)."""
    left = first.parts if first.kind == kind else deque((first,))
    right = second.parts if second.kind == kind else deque((second,))
    if len(left) >= len(right):
        left.extend(right)
        parts = left
    else:
        right.extendleft(reversed(left))
        parts = right
    return Module(kind, parts, None, min(first.rank, second.rank))


@dataclass(slots=True, eq=False)
class Quotient:
    """A DAG whose nodes are modules; nodes are integers in topological order of the original graph."""

    modules: dict[int, Module]
    parents: dict[int, set[int]]
    children: dict[int, set[int]]


def contract(quotient: Quotient) -> Quotient:
    """``quotient`` with every series-parallel module contracted to one node (the argument is consumed)."""
    _Contraction(quotient).run()
    return quotient


def _zobrist(node: int) -> int:
    """A fixed pseudo-random 64-bit number for ``node`` (splitmix64)."""
    z = (node + 1) * 0x9E3779B97F4A7C15 & _MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


class _Contraction:
    def __init__(self, quotient: Quotient) -> None:
        self.modules, self.parents, self.children = quotient.modules, quotient.parents, quotient.children
        self.hash = {node: _zobrist(node) for node in self.modules}
        self.above = {node: self._fold(self.parents[node]) for node in self.modules}
        self.below = {node: self._fold(self.children[node]) for node in self.modules}
        self.twin: dict[tuple[int, int, int, int], int] = {}
        self.queue = deque(self.modules)
        self.queued = set(self.modules)

    def _fold(self, nodes: set[int]) -> int:
        value = 0
        for node in nodes:
            value ^= self.hash[node]
        return value

    def _touch(self, node: int) -> None:
        if node not in self.queued:
            self.queued.add(node)
            self.queue.append(node)

    def run(self) -> None:
        while self.queue:
            node = self.queue.popleft()
            self.queued.discard(node)
            if node in self.modules and not self._series(node):
                self._parallel(node)

    def _series(self, node: int) -> bool:
        if len(self.children[node]) == 1:
            (child,) = self.children[node]
            if len(self.parents[child]) == 1:
                self._merge_series(node, child)
                return True
        if len(self.parents[node]) == 1:
            (parent,) = self.parents[node]
            if len(self.children[parent]) == 1:
                self._merge_series(parent, node)
                return True
        return False

    def _merge_series(self, upper: int, lower: int) -> None:
        module = compose("series", self.modules[upper], self.modules[lower])
        # Keep the node with more outside neighbours, so that a long chain never moves a wide fan twice.
        if len(self.parents[upper]) <= len(self.children[lower]):
            kept, gone = lower, upper
            self._relink(self.parents[upper], self.children, self.below, gone, kept)
            self.parents[kept], self.above[kept] = self.parents[upper], self.above[upper]
        else:
            kept, gone = upper, lower
            self._relink(self.children[lower], self.parents, self.above, gone, kept)
            self.children[kept], self.below[kept] = self.children[lower], self.below[lower]
        self._drop(gone)
        self.modules[kept] = module
        self._touch(kept)

    def _relink(
        self, nodes: set[int], links: dict[int, set[int]], folds: dict[int, int], gone: int, kept: int
    ) -> None:
        for node in nodes:
            links[node].remove(gone)
            links[node].add(kept)
            folds[node] ^= self.hash[gone] ^ self.hash[kept]
            self._touch(node)

    def _parallel(self, node: int) -> None:
        key = self._key(node)
        other = self.twin.get(key, node)
        if other == node or other not in self.modules or not self._twins(node, other):
            self.twin[key] = node
            return
        for parent in self.parents[node]:
            self.children[parent].remove(node)
            self.below[parent] ^= self.hash[node]
            self._touch(parent)
        for child in self.children[node]:
            self.parents[child].remove(node)
            self.above[child] ^= self.hash[node]
            self._touch(child)
        self.modules[other] = compose("parallel", self.modules[other], self.modules[node])
        self._drop(node)
        self._touch(other)

    def _key(self, node: int) -> tuple[int, int, int, int]:
        return self.above[node], self.below[node], len(self.parents[node]), len(self.children[node])

    def _twins(self, one: int, two: int) -> bool:
        return self.parents[one] == self.parents[two] and self.children[one] == self.children[two]

    def _drop(self, node: int) -> None:
        del self.modules[node], self.parents[node], self.children[node], self.above[node], self.below[node]

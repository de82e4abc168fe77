"""Which edges of a prime part become gates.

*Carriers* settle every join by itself: a node keeps one parent, in whose branch it goes on; the edges from its other
parents are cut and met at a gate. What remains is a forest, which branches express exactly. The carrier is the parent
that would otherwise be the only reason for a signal. One gate per join, in linear time.

*Search* comes first, in parts that are not too large: a cut is worth its gate if it settles more than one
join. Often one gate at a node that is no join at all does (``b → d`` beside a long row of joins that begins
with b): cut it off, and the rest is series-parallel. Cuts are taken greedily as long as the best one settles
two joins or more; then carriers do as well. In small parts the search goes on to its end, and the cheaper of
the two ways is taken.

Branches nest one level deeper wherever several nodes share a carrier. Where that would grow beyond
``MAX_LEVELS`` the node gets no carrier: it starts a branch of its own, and waits for all its parents at its
gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from stepweave.planning.contraction import Quotient

MAX_LEVELS = 12
"""Deepest nesting of carried branches inside one prime part."""

MAX_SEARCHED_NODES = 64
"""Largest part in which cuts are searched; a round of the search takes time in the square of this."""

MAX_THOROUGH_NODES = 16
"""Largest part in which the search also tries every carrier of every node, and goes on to its end."""

Cuts: TypeAlias = dict[int, set[int]]
"""The parents that each gated node waits for at its gate, by node; edges to them are cut."""

_Masks: TypeAlias = tuple[int, ...]
"""Parents of each node as a bit set."""


def choose_cuts(quotient: Quotient) -> Cuts:
    """Cuts in ``quotient``, a prime part; what they leave is series-parallel or, after a search, may be prime again."""
    carried = _carried(quotient)
    if len(carried) == 1 or len(quotient.modules) > MAX_SEARCHED_NODES:
        return carried
    nodes = sorted(quotient.modules)
    position = {node: index for index, node in enumerate(nodes)}
    parents = tuple(sum(1 << position[parent] for parent in quotient.parents[node]) for node in nodes)
    searched = {nodes[v]: {nodes[p] for p in _bits(cut)} for v, cut in _search(parents)}
    if len(nodes) <= MAX_THOROUGH_NODES:
        return min(searched, carried, key=_price)
    return searched or carried


def _price(cuts: Cuts) -> tuple[int, int]:
    """Gates, and signals: each is a state transition."""
    return len(cuts), len({parent for parents in cuts.values() for parent in parents})


# Carriers.


def _carried(quotient: Quotient) -> Cuts:
    carriers = _carriers(quotient)
    shared: dict[int, int] = {}
    for carrier in carriers.values():
        shared[carrier] = shared.get(carrier, 0) + 1
    levels: dict[int, int] = {}
    cuts: Cuts = {}
    for node in sorted(quotient.modules):
        parents = quotient.parents[node]
        if not parents:
            levels[node] = 0
            continue
        carrier = carriers[node]
        levels[node] = levels[carrier] + (shared[carrier] > 1)
        kept = {carrier}
        if levels[node] > MAX_LEVELS:
            levels[node], kept = 0, set()
        if parents - kept:
            cuts[node] = parents - kept
    return cuts


def _carriers(quotient: Quotient) -> dict[int, int]:
    """The parent in whose branch each node goes on."""
    signalling: set[int] = set()
    carriers: dict[int, int] = {}
    for node in sorted(quotient.modules):
        parents = quotient.parents[node]
        if parents:
            carrier = min(parents, key=lambda p: (p in signalling, len(quotient.children[p]), -p))
            carriers[node] = carrier
            signalling |= parents - {carrier}
    return carriers


# Search.


@lru_cache(maxsize=4_096)
def _search(parents: _Masks) -> tuple[tuple[int, int], ...]:
    """(node, cut parents) pairs, best first; parts of the same shape are searched once."""
    thorough = len(parents) <= MAX_THOROUGH_NODES
    found: dict[int, int] = {}
    left = list(parents)
    joins, irreducible = _what_is_left(left)
    while irreducible:
        candidates = ((v, cut) for v in range(len(left)) if v not in found for cut in _options(left, v))
        rest, _, node, cut = min((_after(left, v, cut), cut.bit_count(), v, cut) for v, cut in candidates)
        if joins - rest[0] < 2 and not thorough:
            break
        found[node], (joins, irreducible) = cut, rest
        left[node] &= ~cut
    return tuple(found.items())


def _after(parents: Sequence[int], node: int, cut: int) -> tuple[int, int]:
    return _what_is_left([mask & ~cut if v == node else mask for v, mask in enumerate(parents)])


def _options(parents: Sequence[int], node: int) -> Iterator[int]:
    """Cuts of a node: all its parents, or all but the one that carries it."""
    mask = parents[node]
    if mask:
        yield mask
    if mask & (mask - 1) and len(parents) <= MAX_THOROUGH_NODES:
        for parent in _bits(mask):
            yield mask & ~(1 << parent)


def _what_is_left(parents: Sequence[int]) -> tuple[int, int]:
    """Joins, and nodes, of what series-parallel contraction leaves; both are 0 for a series-parallel graph.

    The same two rules as in ``contraction``, on bit sets: for parts of this size that is faster than sets.
    """
    above, below = list(parents), [0] * len(parents)
    for node, mask in enumerate(above):
        for parent in _bits(mask):
            below[parent] |= 1 << node
    alive = (1 << len(above)) - 1
    before = 0
    while before != alive:
        before = alive
        twins: dict[tuple[int, int], int] = {}
        for node in _bits(before):
            if alive >> node & 1:
                alive = _contract_at(node, above, below, alive, twins)
    if not alive & (alive - 1):
        return 0, 0
    return sum(1 for node in _bits(alive) if above[node] & (above[node] - 1)), alive.bit_count()


def _contract_at(
    node: int, above: list[int], below: list[int], alive: int, twins: dict[tuple[int, int], int]
) -> int:
    """``alive`` without the nodes that are contracted into ``node``, or without ``node`` if it has a twin."""
    bit, children = 1 << node, below[node]
    while children and not children & (children - 1):
        child = children.bit_length() - 1
        if above[child] != bit:
            break
        alive ^= children
        children = below[node] = below[child]
        for grandchild in _bits(children):
            above[grandchild] ^= 1 << child | bit
    key = above[node], children
    other = twins.get(key)
    if other is None or not alive >> other & 1 or (above[other], below[other]) != key:
        twins[key] = node
        return alive
    for parent in _bits(key[0]):
        below[parent] ^= bit
    for child in _bits(children):
        above[child] ^= bit
    return alive ^ bit


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest

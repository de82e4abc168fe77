"""Which edges of a prime part become gates.

Every node keeps at most one parent, its *carrier*, in whose branch it goes on; the edges from its other
parents are cut and met at a gate. What remains is a forest, which branches express exactly. A gate costs one
transition, and so does the signal of every node that some gate waits for; so the carrier is the parent that
would otherwise be the only reason for a signal.

Branches nest one level deeper wherever several nodes share a carrier. Where that would grow beyond
``MAX_LEVELS`` the node gets no carrier: it starts a branch of its own, and waits for all its parents at its
gate.
"""

from __future__ import annotations

from stepweave.planning.contraction import Quotient

MAX_LEVELS = 12
"""Deepest nesting of carried branches inside one prime part."""


def choose_cuts(quotient: Quotient) -> dict[int, set[int]]:
    """The parents that each gated node waits for at its gate, by node; edges to them are to be cut."""
    carriers = _carriers(quotient)
    shared: dict[int, int] = {}
    for carrier in carriers.values():
        shared[carrier] = shared.get(carrier, 0) + 1
    levels: dict[int, int] = {}
    cuts: dict[int, set[int]] = {}
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

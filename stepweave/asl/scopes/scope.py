"""`Scope`: what emission knows of the node whose body it emits."""

from __future__ import annotations

from dataclasses import dataclass

from stepweave.graph.model import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A graph as the body of a node."""

    node: str
    returns: tuple[str, ...]
    """Tasks of the body that its result comes from (without one, all leaves): it is skipped when all of them are."""
    is_item: bool
    """Of a mapped node: its end is one letter. Else it is a record."""
    is_staged: bool
    """Inside a speculation: results are staged until it is known whether they count."""
    fields: tuple[tuple[str, Binding], ...] = ()
    """Parts of the result that its record carries natively, by key."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """How often what is inside a Map or a loop runs."""

    planned: int
    """As far as it is known beforehand: the items written in the DAG, else one."""
    most: int
    """In the worst case, within one execution."""

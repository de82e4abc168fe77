"""What ``expand`` and ``expand_kwargs`` got, before it is known what is mapped over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.trace import report

HOWS = ("product", "zip")
KWARGS = ""
"""Name under which the list of ``expand_kwargs`` is kept."""


@dataclass(frozen=True, slots=True)
class Items:
    """What ``expand`` or ``expand_kwargs`` got."""

    how: Literal["product", "zip", "kwargs"]
    lists: Mapping[str, Any]
    """Lists, or references to lists, by parameter."""


def items_of(lists: Mapping[str, Any], how: Any, name: str) -> Items | None:
    """The items of ``.expand(**lists, how=how)``; None, reported, when there is nothing to map over."""
    if not lists:
        report(
            "expand-arguments",
            f"{name}.expand() got no list",
            task=name,
            fix=f"name what differs from item to item: {name}.expand(x=[1, 2, 3])",
        )
        return None
    if how not in HOWS:
        report(
            "expand-how",
            f"{name}.expand() got how={how!r}",
            task=name,
            expected="'product' (all combinations) or 'zip' (first with first, second with second)",
            fix=did_you_mean(str(how), HOWS),
        )
        return None
    return Items(how, lists)

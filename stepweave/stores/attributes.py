"""Values ⇄ attributes of DynamoDB items: texts, whole numbers, sets of texts. Nothing else is kept there.

boto3's own serializer would bring boto3 along; whoever uses the table is given a client.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, TypeAlias

Value: TypeAlias = str | int | Set[str]
Item: TypeAlias = Mapping[str, Any]
"""An item as the API gives it: attribute → ``{"S": text}``."""


def attribute(value: Value) -> dict[str, Any]:
    """``value`` as an attribute.

    >>> attribute("a"), attribute(3), attribute({"b", "a"})
    ({'S': 'a'}, {'N': '3'}, {'SS': ['a', 'b']})
    """
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    return {"SS": sorted(value)}


def attributes(values: Mapping[str, Value]) -> dict[str, Any]:
    """Each of ``values`` as an attribute."""
    return {name: attribute(value) for name, value in values.items()}


def text(item: Item, name: str) -> str | None:
    """The text of an attribute; None when it is absent."""
    found = item.get(name)
    return None if found is None else str(found["S"])


def number(item: Item, name: str) -> int | None:
    """The number of an attribute; None when it is absent."""
    found = item.get(name)
    return None if found is None else int(found["N"])


def texts(item: Item, name: str) -> frozenset[str]:
    """The set of an attribute; empty when it is absent."""
    found = item.get(name)
    return frozenset() if found is None else frozenset(found["SS"])

"""`Item`: one item of a Distributed Map, where it came from, and how reading one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepweave.engine.failures import StateError

ITEM_READER_FAILED = "States.ItemReaderFailed"
STATE_DATA = "STATE_DATA"
"""Source of items that came with the state's input:
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html."""

ITEM_BYTES = 8 * 1024 * 1024
"""Largest item that is read from a text file, before the ItemSelector makes it smaller:
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html."""


@dataclass(frozen=True, slots=True)
class Item:
    """``$states.context.Map.Item``, but its index."""

    value: Any
    source: str
    key: str | None = None
    """The key of an entry of an object; None for other items."""

    @property
    def input(self) -> Any:
        """What a child gets without an ItemSelector: an entry of an object becomes ``{"Key", "Value"}``."""
        return self.value if self.key is None else {"Key": self.key, "Value": self.value}

    def context(self, index: int) -> dict[str, Any]:
        """``$states.context.Map.Item``."""
        item = {"Index": index, "Value": self.value, "Source": self.source}
        return item if self.key is None else {**item, "Key": self.key}


class FormatError(Exception):
    """The content of an object is not what it should be; whoever reads the object says which one."""


def item_reader_failed(cause: str) -> StateError:
    """The error of an item reader."""
    return StateError(ITEM_READER_FAILED, cause)


def items_of(data: Sequence[Any] | Mapping[str, Any], source: str = STATE_DATA) -> list[Item]:
    """The items of an array, or of the entries of an object.

    >>> [item.input for item in items_of({"a": 1})]
    [{'Key': 'a', 'Value': 1}]
    """
    if isinstance(data, Mapping):
        return [Item(value, source, key) for key, value in data.items()]
    return [Item(value, source) for value in data]

"""Several items in one child execution.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from stepweave.engine import payload
from stepweave.engine.failures import DATA_LIMIT_EXCEEDED, StateError
from stepweave.engine.payload import PAYLOAD_BYTES

NO_INPUT: Final = object()
"""An ItemBatcher without a BatchInput, which may be null."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The input of one child execution, and how many items are in it."""

    input: dict[str, Any]
    count: int


def batches(
    items: Iterable[Any],
    max_items: int | None = None,
    max_bytes: int = PAYLOAD_BYTES,
    batch_input: Any = NO_INPUT,
) -> Iterator[Batch]:
    """The items in order, as many to a batch as both limits allow; ``max_bytes`` counts the whole input.

    An item that does not fit into a batch of its own is ``States.DataLimitExceeded``.

    >>> [batch.input for batch in batches("abc", max_items=2, batch_input={"on": 1})]
    [{'BatchInput': {'on': 1}, 'Items': ['a', 'b']}, {'BatchInput': {'on': 1}, 'Items': ['c']}]
    """
    around: dict[str, Any] = {} if batch_input is NO_INPUT else {"BatchInput": batch_input}
    empty = _size({**around, "Items": []})
    held: list[Any] = []
    size = empty
    for index, item in enumerate(items):
        item_size = _size(item)
        if held and (len(held) == max_items or size + 1 + item_size > max_bytes):
            yield Batch({**around, "Items": held}, len(held))
            held, size = [], empty
        if not held and size + item_size > max_bytes:
            raise StateError(
                DATA_LIMIT_EXCEEDED,
                f"Item {index} makes a batch of {size + item_size} bytes, more than the maximum of {max_bytes}.",
            )
        size += item_size + bool(held)
        held.append(item)
    if held:
        yield Batch({**around, "Items": held}, len(held))


def _size(value: Any) -> int:
    text = payload.to_text(value)
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))

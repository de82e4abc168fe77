"""The specs of mapped nodes: the item of a task run, and the values of all items for who reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from stepweave.errors import DataError, PermanentError
from stepweave.runtime.codecs.parts import PartReader
from stepweave.runtime.codecs.text import decode
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.item_chunks import item_of, items_in
from stepweave.runtime.mapped import MappedValues, StoredItems, digests_of

Spec = dict[str, Any]


def component(inputs: Inputs, depth: int) -> int:
    """The number of the item or round at ``depth``."""
    if len(inputs.index) <= depth:
        raise PermanentError(
            f"an argument is of the item at depth {depth}, but the index path is {'/'.join(inputs.index)!r}"
        )
    return int(inputs.index[depth])


def picked(inputs: Inputs, spec: Spec) -> Spec:
    """The spec of the item, out of those of a list that was written in the DAG."""
    position = component(inputs, spec["d"]) // spec["div"]
    one: Spec = spec["pick"][position % len(spec["pick"])]
    return one


def written_count(specs: Iterable[Spec], depth: int) -> int | None:
    """How many items the lists at ``depth`` that were written in the DAG give; None when there are none."""
    counts = [
        spec["div"] * len(spec["pick"])
        for outer in specs
        for spec in (outer.get("kw", outer),)
        if "pick" in spec and spec["d"] == depth
    ]
    return max(counts, default=None)


def item_text(inputs: Inputs, spec: Spec) -> str:
    """JSON text of the item, or of one argument of it."""
    item = _item(inputs, spec)
    if not spec["k"]:
        return json.dumps(item)
    if spec["k"] not in item:
        raise DataError(f"the item has no argument {spec['k']!r}; it has {', '.join(sorted(item)) or 'none'}")
    return item[spec["k"]]


def item_value(inputs: Inputs, spec: Spec) -> Any:
    """The item: one argument of it, or all of them as a dict."""
    read = PartReader(inputs.store, inputs.scratch)
    if not spec["k"]:
        return {name: decode(text, read) for name, text in _item(inputs, spec).items()}
    return decode(item_text(inputs, spec), read)


def _item(inputs: Inputs, spec: Spec) -> dict[str, str]:
    prefix, number = inputs.prefix(spec["i"], spec["d"]), component(inputs, spec["d"])
    return item_of(inputs.store, prefix, number, inputs.event["run"].get("execution"))


def values_of(inputs: Inputs, spec: Spec) -> MappedValues | None:
    """The values of all items; None when the mapped node did not run. Of one that failed: those of the others.

    A node without items is skipped, and yet its value is known: none at all.
    """
    node, depth, each = spec["of"], spec["d"], spec["m"]
    status = inputs.status(node, depth)
    if status not in (None, "success", "failed", "skipped"):
        return None  # it did not run, or not to its end yet
    cached: MappedValues | None = inputs.mapped.get((node, depth))
    if cached is not None:
        return cached
    prefix = inputs.prefix(node, depth)
    count = spec["n"] if "n" in spec else items_in(inputs.store, prefix)
    if count is None or (status == "skipped" and count > 0):
        return None
    lost = set(inputs.event.get("lost", {}).get(node, ()))
    remote = inputs.store.local_path("any") is None
    source: StoredItems | _ReadItems
    if each.get("t") == node and "p" not in each and not inputs.event.get("stage"):
        source = StoredItems(inputs.store, prefix, inputs.scratch)
    else:
        source = _ReadItems(inputs, each, depth)
    items = [item for item in range(count) if item not in lost]
    digests = digests_of(source.digest, items, remote=remote)
    if not digests and not inputs.sees(depth):
        return None  # no item of it succeeded, so neither did the body around it that returns it
    found = MappedValues(node, count, digests, source.load, remote=remote)
    inputs.mapped[node, depth] = found
    return found


class _ReadItems:
    """The results of the items of a mapped group, read by the spec of its result."""

    def __init__(self, inputs: Inputs, each: Spec, depth: int) -> None:
        self._inputs, self._each, self._base = inputs, each, inputs.index[:depth]
        self._constant = not any(_reads(each))

    def digest(self, item: int) -> str | None:
        """Digest of the result of an item; None when no task that it is made of has a value."""
        digest, anything = self._at(item).digest_of_spec(self._each)
        return digest if anything or self._constant else None

    def load(self, item: int) -> Any:
        """The result of an item."""
        return self._at(item).value(self._each)

    def _at(self, item: int) -> Inputs:
        return self._inputs.at((*self._base, str(item)))


def _reads(spec: Any) -> Iterator[bool]:
    """True for each spec inside that reads what a task stored."""
    stack = [spec]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            if "v" in one:
                continue
            if {"t", "m", "last", "n"} & one.keys():
                yield True
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)

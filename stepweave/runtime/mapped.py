"""`MappedValues`: what the items of a mapped task returned, as a sequence that loads a value when it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, overload

from stepweave.runtime.codecs.tagged import keep_as_list
from stepweave.runtime.codecs.values import StoredValue, load_value
from stepweave.runtime.envelope import parse_envelope
from stepweave.runtime.lazily import threads
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import result_key
from stepweave.stores.objects import ObjectStore

_READERS = 64
"""Reads of S3 at once: one takes some 20 ms, nearly all of it waiting."""
_AHEAD = 128
"""Values that an iteration over S3 reads ahead."""
_KEPT_BYTES = 64 << 20
"""Texts of small values that are kept from the look at their envelopes; what comes after is read again."""


class MappedValues(Sequence[Any]):
    """The values of the successful items of a mapped task or group, in the order of the items.

    It equals the list of its values, and ``list(values)`` loads them all.
    """

    def __init__(
        self, node: str, count: int, digests: dict[int, str], load: Callable[[int], Any], *, remote: bool
    ) -> None:
        """``digests``: of the items that have a value; ``load``: the value of an item, by its number."""
        self._node = node
        self._count = count
        self._load = load
        self._remote = remote
        self.indexes: tuple[int, ...] = tuple(digests)
        """Numbers of the items that have a value, in order."""
        listed = "\n".join(f"{item}:{digest}" for item, digest in digests.items())
        self.digest = hashlib.sha256(f"{count}\n{listed}".encode()).hexdigest()
        """Digest of all values."""

    @property
    def failed(self) -> int:
        """How many items have no value: they failed, or were skipped."""
        return self._count - len(self.indexes)

    def __len__(self) -> int:
        return len(self.indexes)

    @overload
    def __getitem__(self, position: int) -> Any: ...
    @overload
    def __getitem__(self, position: slice) -> list[Any]: ...
    def __getitem__(self, position: int | slice) -> Any:
        if isinstance(position, slice):
            return list(self._loaded(self.indexes[position]))
        return self._load(self.indexes[position])

    def __iter__(self) -> Iterator[Any]:
        return self._loaded(self.indexes)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (MappedValues, list, tuple)):
            return len(self) == len(other) and all(
                mine == theirs for mine, theirs in zip(self, other, strict=True)
            )
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(repr(value) for value in self[:3])
        more = ", …" if len(self) > 3 else ""
        missing = f", {self.failed} without a value" if self.failed else ""
        return f"<{len(self)} values of {self._node!r}{missing}: [{shown}{more}]>"

    def __reduce__(self) -> Any:
        # Whoever copies or pickles it wants the values; they may not be read elsewhere.
        return list, (list(self),)

    def _loaded(self, items: Sequence[int]) -> Iterator[Any]:
        if not self._remote or len(items) < 2:
            yield from map(self._load, items)
            return
        with threads(_READERS) as pool:
            rest = iter(items)
            while window := list(islice(rest, _AHEAD)):
                yield from pool.map(self._load, window)


keep_as_list(MappedValues)


class StoredItems:
    """The envelopes of the items of a mapped task: one read each, small values kept."""

    def __init__(self, store: ObjectStore, prefix: str, scratch: Scratch) -> None:
        """``prefix``: that of the mapped task, below which each item has its number."""
        self._store, self._prefix, self._scratch = store, prefix, scratch
        self._values: dict[int, StoredValue] = {}
        self._kept_bytes = 0

    def digest(self, item: int) -> str | None:
        """Digest of the value of an item; None when it has none."""
        value = self._read(item)
        if value is None:
            return None
        self._kept_bytes += len(value.text or "")
        if value.text is None or self._kept_bytes <= _KEPT_BYTES:
            self._values[item] = value
        return value.digest

    def load(self, item: int) -> Any:
        """The value of an item that has one."""
        value = self._values.get(item) or self._read(item)
        assert value is not None, "only items with a value are loaded"
        return load_value(value, self._store, self._scratch)

    def _read(self, item: int) -> StoredValue | None:
        key = result_key(f"{self._prefix}/{item}")
        data = self._store.get_or_none(key)
        return None if data is None else parse_envelope(data, key).value


def digests_of(digest: Callable[[int], str | None], items: Sequence[int], *, remote: bool) -> dict[int, str]:
    """Number → digest of every item that has a value, in order; many at once where each takes a request."""
    if remote:
        with threads(_READERS) as pool:
            found = list(pool.map(digest, items))
    else:
        found = [digest(item) for item in items]
    return {item: one for item, one in zip(items, found, strict=True) if one is not None}

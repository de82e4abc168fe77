"""The items of a mapped node as they lie in the store: how many, and chunks of a hundred.

An item is an object of argument name → JSON text of the value, so that one item's digest is that of its own text.
"""

from __future__ import annotations

import json

from stepweave.errors import DataError
from stepweave.stores.layout import chunk_key, manifest_key
from stepweave.stores.objects import ObjectStore

CHUNK = 100
"""Items in one object: one read serves the neighbours that the same process runs next."""

_last: tuple[object, list[dict[str, str]]] | None = None


def write_items(
    store: ObjectStore, prefix: str, items: list[dict[str, str]], more: dict[str, object]
) -> None:
    """Write down the items; the manifest, with what else is known of all of them, comes last."""
    for start in range(0, len(items), CHUNK):
        data = json.dumps(items[start : start + CHUNK], ensure_ascii=False).encode("utf-8", "surrogatepass")
        store.put(chunk_key(prefix, start // CHUNK), data)
    store.put(manifest_key(prefix), json.dumps({"n": len(items), **more}).encode())


def items_in(store: ObjectStore, prefix: str) -> int | None:
    """How many items were written down; None when none ever were."""
    data = store.get_or_none(manifest_key(prefix))
    return None if data is None else int(json.loads(data)["n"])


def item_of(store: ObjectStore, prefix: str, number: int, execution: str | None) -> dict[str, str]:
    """Argument name → JSON text of an item. The last chunk is kept, for one execution: a resumed run may rewrite it."""
    global _last
    key = chunk_key(prefix, number // CHUNK)
    name = store.url, key, execution
    kept = _last
    if execution is None or kept is None or kept[0] != name:
        data = store.get_or_none(key)
        if data is None:
            raise DataError(
                f"the items of the mapped task are not in the store {store.url}: expected the object {key!r}"
            )
        _last = kept = name, json.loads(data.decode("utf-8", "surrogatepass"))
    chunk = kept[1]
    if number % CHUNK >= len(chunk):
        raise DataError(f"there is no item {number}: object {key!r} has {len(chunk)} items")
    return chunk[number % CHUNK]

"""What a task run's arguments follow from, for its input digest: an item from its own item, a reader from all items."""

from __future__ import annotations

import hashlib
from typing import Any

from stepweave.runtime.inputs import Inputs
from stepweave.runtime.mapped_nodes import item_text, picked, values_of
from stepweave.runtime.rounds import elsewhere, state, state_digest

Spec = dict[str, Any]


def settled(inputs: Inputs, specs: dict[str, Spec]) -> tuple[dict[str, Any], dict[str, str]]:
    """The specs with what they mean for this item and round in their place, and the digests of what they read."""
    digests: dict[str, str] = {}
    return {name: settle(inputs, spec, digests) for name, spec in specs.items()}, digests


def settle(inputs: Inputs, spec: Spec, digests: dict[str, str]) -> Any:
    """One spec settled; what it reads is added to ``digests``."""
    if "v" in spec:
        return spec
    if "t" in spec:
        task, depth = spec["t"], spec.get("d", 0)
        _note(inputs, task, depth, inputs.digest_of(task, depth), digests)
        return spec
    if "l" in spec:
        return {"l": [settle(inputs, item, digests) for item in spec["l"]]}
    if type(spec.get("d")) is dict:
        return {"d": {key: settle(inputs, item, digests) for key, item in spec["d"].items()}}
    found = _scoped(inputs, spec, digests)
    return {**found, "p": spec["p"]} if "p" in spec else found


def _scoped(inputs: Inputs, spec: Spec, digests: dict[str, str]) -> Any:
    if "m" in spec:
        values = values_of(inputs, spec)
        _note(inputs, spec["of"], spec["d"], None if values is None else values.digest, digests)
        return {"m": spec["of"]}
    if "i" in spec:
        return {"i": hashlib.sha256(item_text(inputs, spec).encode("utf-8", "surrogatepass")).hexdigest()}
    if "pick" in spec:
        return {"pick": settle(inputs, picked(inputs, spec), digests)}
    if "s" in spec:
        return {"s": state(inputs, spec, "digest", state_digest)}
    if "last" in spec or "n" in spec:
        found = elsewhere(inputs, spec)
        return {"at": None if found is None else settle(found[0], found[1], digests)}
    return {key: settle(inputs, spec[key], digests) if key in ("part", "kw") else spec[key] for key in spec}


def _note(inputs: Inputs, task: str, depth: int, digest: str | None, digests: dict[str, str]) -> None:
    """Note an input by the name of its task, with the index path where it is of another item, round or run."""
    if digest is not None:
        name = task if inputs.sees(depth) else "/".join((task, *inputs.index[:depth]))
        digests[name] = digest

"""The specs of mapped nodes, loops and nested DAGs: what an argument is for *this* item, in *this* round.

``runtime/inputs.py`` reads the others. Every function takes the ``Inputs`` whose index path says which item and which
round; values of other items and rounds are read through ``inputs.at(index)``, which sees nothing but the store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from stepweave.errors import DataError, PermanentError
from stepweave.runtime.codecs.parts import PartReader
from stepweave.runtime.codecs.text import decode
from stepweave.runtime.events import RunInfo
from stepweave.runtime.inputs import Inputs, survey
from stepweave.runtime.item_chunks import item_of, items_in
from stepweave.runtime.lazily import part
from stepweave.runtime.mapped import MappedValues, StoredItems, digests_of
from stepweave.runtime.paths import follow

Spec = dict[str, Any]


def value(inputs: Inputs, spec: Spec) -> Any:
    """The value that a spec of one of these kinds describes."""
    if "m" in spec:
        found: Any = values_of(inputs, spec)
        origin = f"the values of {spec['of']!r}"
    elif "i" in spec:
        found = _item_value(inputs, spec)
        origin = f"the item of {spec['i']!r}"
    elif "pick" in spec:
        found = inputs.value(_picked(inputs, spec))
        origin = "the item"
    elif "s" in spec:
        found = _state_value(inputs, spec)
        origin = "the state of the loop"
    else:
        where, inner = _elsewhere(inputs, spec)
        return where.value(inner) if inner is not None else _only_here(inputs, spec)
    path = spec.get("p", ())
    return found if found is None or not path else follow(found, path, origin)


def _only_here(inputs: Inputs, spec: Spec) -> Any:
    if "c" in spec:
        return _component(inputs, spec["c"])
    if "part" in spec:
        whole = inputs.value(spec["part"])
        return None if whole is None else follow(whole, spec["p"], "the value")
    if "kw" in spec:
        return inputs.value(spec["kw"])
    raise PermanentError(
        f"an argument has the unknown spec {spec!r}; expected one of v, t, r, x, l, d, m, i, pick, s, c, last, n, part"
    )


def inside(spec: Spec) -> Iterator[Spec]:
    """The specs inside one that are read with the index path of the task itself."""
    for key in ("part", "kw"):
        if key in spec:
            yield spec[key]
    yield from spec.get("pick", ())


def add_keywords(arguments: dict[str, Any], keywords: Any, names: Collection[str] | None) -> None:
    """Add the dict of an item to the arguments; ``DataError`` when it is none, or names one twice."""
    if not isinstance(keywords, dict):
        raise DataError(
            f"an item of expand_kwargs is a {type(keywords).__name__}; expected a dict of arguments"
        )
    for name, argument in keywords.items():
        if name in arguments:
            raise DataError(f"an item of expand_kwargs gives {name!r}, which is given to all items already")
        if names is None or name in names:
            arguments[name] = argument


def as_annotated(arguments: dict[str, Any], function: Callable[..., Any]) -> None:
    """Make a list of each mapped value whose parameter is annotated with one, in place."""
    if any(type(argument) is MappedValues for argument in arguments.values()):
        wanted = part("coercion").list_parameters(function)
        for name, argument in arguments.items():
            if type(argument) is MappedValues and name in wanted:
                arguments[name] = list(argument)


# --- digests: an item depends on its own item, a reader of all items on all of them


def settled(inputs: Inputs, specs: dict[str, Spec]) -> tuple[dict[str, Any], dict[str, str]]:
    """The specs with what they mean for this item and round in their place, and the digests of what they read."""
    digests: dict[str, str] = {}
    return {name: _settled(inputs, spec, digests) for name, spec in specs.items()}, digests


def _settled(inputs: Inputs, spec: Spec, digests: dict[str, str]) -> Any:
    if "v" in spec:
        return spec
    if "t" in spec:
        return _noted(inputs, spec, digests)
    if "m" in spec:
        found = values_of(inputs, spec)
        if found is not None:
            digests[_name(inputs, spec["of"], spec["d"])] = found.digest
        return {"m": spec["of"], "p": spec.get("p")}
    if "i" in spec:
        text = _item_text(inputs, spec)
        return {"i": hashlib.sha256(text.encode()).hexdigest(), "p": spec.get("p")}
    if "l" in spec:
        return {"l": [_settled(inputs, item, digests) for item in spec["l"]]}
    if type(spec.get("d")) is dict:
        return {"d": {key: _settled(inputs, item, digests) for key, item in spec["d"].items()}}
    if "pick" in spec:
        return {"pick": _settled(inputs, _picked(inputs, spec), digests), "p": spec.get("p")}
    if "part" in spec or "kw" in spec:
        key = "part" if "part" in spec else "kw"
        return {**spec, key: _settled(inputs, spec[key], digests)}
    if "s" in spec:
        where, inner = _carried(inputs, spec)
        return {"s": _settled(where, inner, digests), "p": spec.get("p")}
    other, inside_it = _elsewhere(inputs, spec)
    return spec if inside_it is None else {"at": _settled(other, inside_it, digests)}


def _noted(inputs: Inputs, spec: Spec, digests: dict[str, str]) -> Spec:
    task, depth = spec["t"], spec.get("d", 0)
    digest = inputs.digest_of(task, depth)
    if digest is not None:
        digests[_name(inputs, task, depth)] = digest
    return spec


def _name(inputs: Inputs, task: str, depth: int) -> str:
    """Name of an input in the envelope: the task, with its index path where it is of another item, round or run."""
    if inputs.sees(depth):
        return task
    return "/".join((task, *inputs.index[:depth]))


# --- mapped nodes


def values_of(inputs: Inputs, spec: Spec) -> MappedValues | None:
    """The values of a mapped node; None when it did not run."""
    node, depth, each = spec["of"], spec["d"], spec["m"]
    if inputs.status(node, depth) in ("skipped", "upstream_failed"):
        return None
    cached: MappedValues | None = inputs.mapped.get((node, depth))
    if cached is not None:
        return cached
    prefix = inputs.prefix(node, depth)
    count = spec["n"] if "n" in spec else items_in(inputs.store, prefix)
    if count is None:
        return None
    lost = set(inputs.event.get("lost", {}).get(node, ()))
    items = [item for item in range(count) if item not in lost]
    remote = inputs.store.local_path("any") is None
    source: StoredItems | _ReadItems
    if each.get("t") == node and "p" not in each and not inputs.event.get("stage"):
        source = StoredItems(inputs.store, prefix, inputs.scratch)
    else:
        source = _ReadItems(inputs, each, depth)
    digests = digests_of(source.digest, items, remote=remote)
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
        digests: dict[str, str] = {}
        basis = _settled(self._at(item), self._each, digests)
        if not digests and not self._constant:
            return None
        return hashlib.sha256(json.dumps([basis, digests], sort_keys=True).encode()).hexdigest()

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


def _component(inputs: Inputs, depth: int) -> int:
    if len(inputs.index) <= depth:
        raise PermanentError(
            f"an argument is of the item at depth {depth}, but the index path is {'/'.join(inputs.index)!r}"
        )
    return int(inputs.index[depth])


def written_count(specs: Iterable[Spec], depth: int) -> int | None:
    """How many items the lists at ``depth`` that were written in the DAG give; None when there are none."""
    counts = [
        spec["div"] * len(spec["pick"])
        for outer in specs
        for spec in (outer.get("kw", outer),)
        if "pick" in spec and spec["d"] == depth
    ]
    return max(counts, default=None)


def _picked(inputs: Inputs, spec: Spec) -> Spec:
    position = _component(inputs, spec["d"]) // spec["div"]
    picked: Spec = spec["pick"][position % len(spec["pick"])]
    return picked


def _item(inputs: Inputs, spec: Spec) -> dict[str, str]:
    run = inputs.event["run"]
    prefix, number = inputs.prefix(spec["i"], spec["d"]), _component(inputs, spec["d"])
    return item_of(inputs.store, prefix, number, run.get("execution"))


def _item_text(inputs: Inputs, spec: Spec) -> str:
    item = _item(inputs, spec)
    if not spec["k"]:
        return json.dumps(item)
    if spec["k"] not in item:
        raise DataError(f"the item has no argument {spec['k']!r}; it has {', '.join(sorted(item)) or 'none'}")
    return item[spec["k"]]


def _item_value(inputs: Inputs, spec: Spec) -> Any:
    read = PartReader(inputs.store, inputs.scratch)
    if not spec["k"]:
        return {name: decode(text, read) for name, text in _item(inputs, spec).items()}
    return decode(_item_text(inputs, spec), read)


# --- loops and nested DAGs


def _carried(inputs: Inputs, spec: Spec) -> tuple[Inputs, Spec]:
    """Where the state of this round is from: the start of the loop, or what the round before carried, and seen from."""
    depth, state = spec["d"], spec["s"] or inputs.states[spec["d"]]
    inputs.states[depth] = state
    number = _component(inputs, depth)
    if number == 0:
        return inputs, state["start"]
    before = inputs.at((*inputs.index[:depth], str(number - 1)))
    before.states.update(inputs.states)
    return before, state["carry"]


def _state_value(inputs: Inputs, spec: Spec) -> Any:
    where, inner = _carried(inputs, spec)
    return where.value(inner)


def _elsewhere(inputs: Inputs, spec: Spec) -> tuple[Inputs, Spec | None]:
    """For the value of a loop or of a nested DAG: where its spec is to be read, and the spec; else None."""
    if "last" in spec:
        return _last_round(inputs, spec), spec["last"]
    if "n" in spec:
        return _nested(inputs, spec)
    return inputs, None


def _last_round(inputs: Inputs, spec: Spec) -> Inputs:
    base = inputs.index[: spec["d"]]
    if "x" in spec and inputs.sees(spec["d"]):
        last = int(inputs.event["values"][spec["x"]] or 0)
    else:
        last = 0
        while _exists(inputs.at((*base, str(last + 1))), spec["last"]):
            last += 1
    return inputs.at((*base, str(last)))


def _exists(inputs: Inputs, spec: Spec) -> bool:
    return any(inputs.exists(task, depth) for task, depth in survey([spec]).tasks)


def _nested(inputs: Inputs, spec: Spec) -> tuple[Inputs, Spec]:
    run = inputs.event["run"]
    index = inputs.index[: spec.get("d", 0)]
    child = inputs.of_run(RunInfo(dag=spec["dag"], id=".".join((run["id"], spec["of"], *index))))
    return child, _in_run_of(child, spec["n"], spec["call"])


def value_of_run(other: Inputs, spec: Spec, call: str) -> Any:
    """The value of ``spec`` in terms of the tasks of another run, of the DAG behind ``call``."""
    if "l" in spec:
        return [value_of_run(other, item, call) for item in spec["l"]]
    if type(spec.get("d")) is dict:
        return {key: value_of_run(other, item, call) for key, item in spec["d"].items()}
    return other.value(_in_run_of(other, spec, call))


def _in_run_of(other: Inputs, spec: Spec, call: str) -> Spec:
    if "t" not in spec or other.find_envelope(spec["t"], 0) is not None:
        return spec
    # Not a plain task there: only its DAG knows how its value is put together.
    whole: Spec = part("graph_arguments").value_spec_of(call, spec["t"])
    return {"part": whole, "p": spec["p"]} if "p" in spec else whole

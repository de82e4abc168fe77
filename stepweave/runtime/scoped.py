"""The values of specs of mapped nodes, loops and nested DAGs: what an argument is for *this* item, in *this* round.

``runtime/inputs.py`` reads the other kinds. Every function takes the ``Inputs`` whose index path says which item and
which round; values of other items and rounds are read through ``inputs.at(index)``, which sees nothing but the store.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from stepweave.errors import DataError, PermanentError
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.lazily import part
from stepweave.runtime.mapped import MappedValues
from stepweave.runtime.mapped_nodes import component, item_value, picked, values_of
from stepweave.runtime.paths import follow
from stepweave.runtime.rounds import elsewhere, state

Spec = dict[str, Any]


def value(inputs: Inputs, spec: Spec) -> Any:
    """The value that a spec of one of these kinds describes."""
    if "m" in spec:
        found: Any = values_of(inputs, spec)
        origin = f"the values of {spec['of']!r}"
    elif "i" in spec:
        found = item_value(inputs, spec)
        origin = f"the item of {spec['i']!r}"
    elif "pick" in spec:
        found = inputs.value(picked(inputs, spec))
        origin = "the item"
    elif "s" in spec:
        found = state(inputs, spec, "value", lambda where, inner: where.value(inner))
        origin = "the state of the loop"
    elif "part" in spec:
        found = inputs.value(spec["part"])
        origin = "the value"
    else:
        return _whole(inputs, spec)
    path = spec.get("p", ())
    return found if found is None or not path else follow(found, path, origin)


def _whole(inputs: Inputs, spec: Spec) -> Any:
    if "last" in spec or "n" in spec:
        found = elsewhere(inputs, spec)
        return None if found is None else found[0].value(found[1])
    if "c" in spec:
        return component(inputs, spec["c"])
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

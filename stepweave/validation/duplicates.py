"""Keys that stand twice in one JSON object, of which a parser silently keeps the last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stepweave.validation.report import Report


class _Doubled(dict[str, Any]):
    """An object of which some keys stood twice."""

    doubled: tuple[str, ...]


def check_duplicates(text: str, report: Report) -> None:
    """Report the keys that stand twice in an object of ``text``, a definition that is known to be JSON."""
    found: list[_Doubled] = []

    def an_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        special = _Doubled(made)
        special.doubled = tuple(key for key in made if sum(key == other for other, _ in pairs) > 1)
        found.append(special)
        return special

    try:
        whole = json.loads(text, object_pairs_hook=an_object)
    except RecursionError:  # reported as a value that is nested too deeply
        return
    if found:
        for path, place, special in _walk(whole):
            for key in special.doubled:
                where = place or ("the state" if path else "the definition")
                what = f"the key {key!r} stands twice in {where}"
                report.at(path, "duplicate-key", what, got=key, fix="keep one of them")


def _walk(whole: Any) -> Iterator[tuple[str, str, _Doubled]]:
    """Path of the state, place inside it, and the object, for each object with a key that stands twice."""
    stack = [("", "", whole)]
    while stack:
        path, place, value = stack.pop()
        if isinstance(value, _Doubled):
            yield path, place, value
        if isinstance(value, dict):
            stack += reversed([_inner(path, place, key, inner) for key, inner in value.items()])
        elif isinstance(value, list):
            stack += reversed([(path, f"{place}[{index}]", inner) for index, inner in enumerate(value)])


def _inner(path: str, place: str, key: str, value: Any) -> tuple[str, str, Any]:
    """Where ``value`` stands, the member ``key`` of the object at ``place`` in the state ``path``.

    A state's path names the machines around it as elsewhere: ``branches 1[0]/load_orders``.
    """
    if place == "States":
        return (f"{path}/{key}" if path else key), "", value
    if place.startswith("Branches[") and key == "States":
        return path + place.removeprefix("Branches"), "States", value
    if place in ("ItemProcessor", "Iterator") and key == "States":
        return path + "[*]", "States", value
    return path, f"{place}.{key}" if place else key, value

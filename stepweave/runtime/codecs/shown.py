"""`for_people(text)`: a stored value without the tags that only a reader in Python needs."""

from __future__ import annotations

import json
from typing import Any

_STATE = ("$dataclass", "$model")
_BARE = (
    "$tuple",
    "$set",
    "$frozenset",
    "$datetime",
    "$date",
    "$time",
    "$decimal",
    "$uuid",
    "$float",
    "$bytes",
)


def for_people(text: str) -> Any:
    """The JSON value behind ``text``: a dataclass as its fields, a tuple as a list, a date as its text.

    >>> for_people('{"$dataclass":"m:Point","state":{"x":{"$tuple":[1]}}}')
    {'x': [1]}
    """
    tree = json.loads(text)
    return _plain(tree) if '"$' in text else tree


def _plain(tree: Any) -> Any:
    if type(tree) is list:
        return [_plain(member) for member in tree]
    if type(tree) is not dict:
        return tree
    tag = next(iter(tree), "")
    if tag in _STATE:
        return {
            name: _plain(member)
            for name, member in tree["state"].items()
            if not name.startswith("__pydantic_")
        }
    if tag in _BARE:
        return _plain(tree[tag])
    if tag == "$dict":
        return {str(_plain(key)): _plain(member) for key, member in tree[tag]}
    if tag == "$namedtuple":
        return _plain(tree["items"])
    if tag == "$enum":
        return tree["name"] if "name" in tree else _plain(tree["value"])
    if tag == "$part":
        return tree[tag].get("key", tree[tag].get("name"))
    return {name: _plain(member) for name, member in tree.items()}

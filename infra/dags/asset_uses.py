"""`asset_uses`: which assets the code of tasks reads and publishes, found in its source.

    get_current_context().publish("traffic", "latest", value)      published: traffic
    context.latest(ASSET, day)                                     read: what the constant ASSET is

A name that is computed means any asset. Source is read, never run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ANY_ASSET = ""
"""Stands for every asset."""

_ARGUMENTS = {"latest": 2, "publish": 3}
"""Method of the context → positional arguments; other methods of these names rarely have as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetUses:
    """Names of assets, sorted; :data:`ANY_ASSET` alone where a name is computed."""

    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


def asset_uses(files: Iterable[Path]) -> AssetUses:
    """What the code in ``files`` does with assets."""
    found: dict[str, set[str]] = {method: set() for method in _ARGUMENTS}
    for file in files:
        tree = ast.parse(file.read_bytes(), filename=str(file))
        constants = dict(_constants(tree))
        for method, name in _calls(tree):
            found[method].add(_text(name, constants))
    return AssetUses(read=_names(found["latest"] - found["publish"]), written=_names(found["publish"]))


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(method, first argument) of each call that looks like one of the context's."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        given = [*node.args, *keywords.values()]
        if len(given) == _ARGUMENTS.get(node.func.attr):
            yield node.func.attr, keywords.get("name", given[0])


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text))):
                yield name, text


def _text(node: ast.expr, constants: dict[str, str]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return constants.get(name, ANY_ASSET)
    return ANY_ASSET


def _names(found: set[str]) -> tuple[str, ...]:
    return (ANY_ASSET,) if ANY_ASSET in found else tuple(sorted(found))

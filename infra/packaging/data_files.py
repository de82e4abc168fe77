"""`data_files(file)`: what lies beside a module and is read by it.

A module names its files: ``Path(__file__).with_name("card.html")``. A text in its source that is the path of something
that exists beside it is taken for one; of folders only where the module asks for its own place (``__file__``,
``importlib.resources``). What is put together at run time is declared: ``DATA_FILES = ("models/*.onnx",)``.
"""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.packaging.parsing import parsed
from stepweave.errors import UsageError

DECLARED = "DATA_FILES"
"""Name that a module binds to a tuple of glob patterns, relative to its own folder."""

_PLACE = {"__file__", "files", "resources", "get_data", "PackageLoader"}
_NOT_SHIPPED = {"__pycache__", ".git", ".venv", "node_modules"}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class _Texts:
    """What a module's source says of files."""

    named: frozenset[str]
    """Texts that may be paths."""
    declared: tuple[str, ...]
    places: bool
    """Whether it asks for its own place."""


def data_files(file: Path) -> tuple[Path, ...]:
    """The data files of a module, sorted. Raises ``UsageError`` where a declared pattern matches nothing."""
    return _data_files(file, parsed(file))


@functools.lru_cache(maxsize=4096)  # a module is in the closures of many DAGs
def _data_files(file: Path, tree: ast.Module) -> tuple[Path, ...]:
    return tuple(sorted(set(_found(file, _texts(tree)))))


def _texts(tree: ast.Module) -> _Texts:
    named, places = set(), False
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _may_be_path(node.value):
                named.add(node.value)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            places = places or (node.id if isinstance(node, ast.Name) else node.attr) in _PLACE
    return _Texts(frozenset(named), tuple(_declared(tree)), places)


def _may_be_path(text: str) -> bool:
    return len(text) <= _LONGEST and text.isprintable() and bool(text.strip("./")) and text[0] not in "/~."


def _declared(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == DECLARED for target in statement.targets
        ):
            yield from (str(one) for one in ast.literal_eval(statement.value))


def _found(file: Path, texts: _Texts) -> Iterator[Path]:
    folder = file.parent
    beside = set(os.listdir(folder))
    for text in texts.named:
        if text.partition("/")[0] not in beside:
            continue
        candidate = folder / text
        if candidate.is_file() and candidate.suffix != ".py":
            yield candidate
        elif texts.places and candidate.is_dir():
            yield from _in_folder(candidate)
    for pattern in texts.declared:
        matches = [path for path in folder.glob(pattern) if path.is_file()]
        if not matches:
            raise UsageError(f"{file}: {DECLARED} names {pattern!r}, but no file in {folder} matches that")
        yield from matches


def _in_folder(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc") and not _NOT_SHIPPED & set(path.parts):
            yield path

"""`data_files(file)`: what lies beside a module and is read by it.

A module names its files: ``Path(__file__).with_name("card.html")``. A text in its source that is the path of something
that exists beside it is taken for one; of folders only where the module asks for its own place (``__file__``,
``importlib.resources``). What is put together at run time is declared: ``DATA_FILES = ("models/*.onnx",)``.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

DECLARED = "DATA_FILES"
"""Name that a module binds to a tuple of glob patterns, relative to its own folder."""

_PLACE = {"__file__", "files", "resources", "get_data", "PackageLoader"}
_NOT_SHIPPED = {"__pycache__", ".git", ".venv", "node_modules"}
_LONGEST = 200


def data_files(file: Path) -> tuple[Path, ...]:
    """The data files of a module, sorted. Raises ``ValueError`` where a declared pattern matches nothing."""
    stat = file.stat()
    return tuple(sorted(set(_found(file, _texts(file, stat.st_mtime_ns, stat.st_size)))))


class _Texts(tuple[frozenset[str], tuple[str, ...], bool]):
    """Texts in a module, patterns that it declares, and whether it asks for its own place."""

    __slots__ = ()


@functools.lru_cache(maxsize=4096)
def _texts(file: Path, changed: int, size: int) -> _Texts:
    tree = ast.parse(file.read_bytes(), str(file))
    texts, places = set(), False
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if 0 < len(node.value) <= _LONGEST and "\n" not in node.value and "\0" not in node.value:
                texts.add(node.value)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            places = places or (node.id if isinstance(node, ast.Name) else node.attr) in _PLACE
    return _Texts((frozenset(texts), tuple(_declared(tree)), places))


def _declared(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == DECLARED for target in statement.targets
        ):
            yield from (str(one) for one in ast.literal_eval(statement.value))


def _found(file: Path, texts: _Texts) -> Iterator[Path]:
    named, declared, places = texts
    folder = file.parent
    for text in named:
        if text.strip("./") == "" or text.startswith(("/", "~", "..")):
            continue
        candidate = folder / text
        if candidate.is_file() and candidate.suffix != ".py":
            yield candidate
        elif places and candidate.is_dir():
            yield from _in_folder(candidate)
    for pattern in declared:
        matches = [path for path in folder.glob(pattern) if path.is_file()]
        if not matches:
            raise ValueError(f"{file}: {DECLARED} names {pattern!r}, which matches no file in {folder}")
        yield from matches


def _in_folder(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc") and not _NOT_SHIPPED & set(path.parts):
            yield path

"""Writes the settings of docs/deploying.md: ``python -m tests.docs.settings_page``; with ``--check`` it checks them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.settings import Settings
from tests.docs.computed_parts import update

PAGE = Path("docs") / "deploying.md"
MANY = 8
"""Values of a choice, from which on they are not all written."""


def table() -> str:
    """Every key with what it may be, its default and what it means."""
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    rows += list(_rows(Settings, ""))
    return "\n".join(rows)


def _rows(model: type[BaseModel], table: str) -> Iterator[str]:
    later: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        inner = _section(field)
        if inner is not None:
            later.append((f"{table}.{name}" if table else name, inner))
            continue
        key = f"`[{table}] {name}`" if table else f"`{name}`"
        says = " ".join((field.description or "").split())
        yield f"| {key} | {_kind(field.annotation)} | {_default(field)} | {says} |"
    for name, inner in _without_repetition(later):
        yield from _rows(inner, name)


def _without_repetition(later: list[tuple[str, type[BaseModel]]]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Each section; of several of one kind (the queues) one row for all."""
    kinds: dict[type[BaseModel], list[str]] = {}
    for name, inner in later:
        kinds.setdefault(inner, []).append(name)
    for inner, names in kinds.items():
        above = names[0].rpartition(".")[0]
        yield (names[0] if len(names) == 1 else f"{above}.KIND"), inner


def _section(field: FieldInfo) -> type[BaseModel] | None:
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _kind(annotation: Any) -> str:
    """What a value may be, in TOML's words."""
    simple = {str: "text", int: "number", bool: "`true`, `false`"}
    if annotation in simple:
        return simple[annotation]
    if get_origin(annotation) is dict:
        return "table of texts"
    arguments = [one for one in get_args(annotation) if one is not type(None) and one is not Ellipsis]
    if arguments and all(isinstance(one, str | int) for one in arguments):
        shown = [f"`{one}`" for one in arguments]
        return ", ".join(shown if len(shown) <= MANY else [*shown[: MANY - 2], "…", shown[-1]])
    if getattr(annotation, "__origin__", None) is tuple:
        return f"list of {_kind(arguments[0])}s"
    return _kind(arguments[0]) if arguments else "text"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def main(check: bool) -> int:
    """Write the page, or tell that it is not up to date; the exit status."""
    return update(PAGE, {"settings": table()}, check=check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))

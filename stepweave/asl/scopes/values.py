"""Values of bindings as the state machine itself can compute them, from what records carry natively."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from math import prod

from stepweave.asl.payload import RecordOf, expression_text, field_key, operand_text
from stepweave.asl.text import quoted
from stepweave.graph.constructs import Expansion
from stepweave.graph.model import Binding, DictOf, Expression, ListOf, Literal, Path
from stepweave.graph.specs import written_items


def value_text(binding: Binding, record_of: RecordOf) -> str:
    """JSONata for the value of ``binding``."""
    match binding:
        case Literal(json=value):
            return f"$parse({quoted(value)})"
        case Expression():
            return f"({expression_text(binding, record_of)})"
        case ListOf(items=items):
            return f"[{', '.join(value_text(item, record_of) for item in items)}]"
        case DictOf(items=pairs):
            return object_text({key: value_text(value, record_of) for key, value in pairs})
        case _:
            return operand_text(binding, record_of)


def part_of(binding: Binding, path: Path) -> Binding:
    """The binding of the part at ``path`` of what ``binding`` stands for; of what has no such part, null.

    >>> part_of(DictOf(items=(("a", Literal(json="[1, 2]")),)), ("a", 0))
    Literal(json='1')
    """
    for index, step in enumerate(path):
        match binding:
            case DictOf(items=pairs):
                binding = next((value for key, value in pairs if key == step), _NULL)
            case ListOf(items=items):
                binding = items[step] if isinstance(step, int) and 0 <= step < len(items) else _NULL
            case Literal(json=text):
                binding = _member(json.loads(text), step)
            case Expression():
                return _NULL
            case _:
                return replace(binding, path=(*binding.path, *path[index:]))
    return binding


def written_parts(expansion: Expansion, parts: Sequence[tuple[str, Path]]) -> list[dict[str, object]]:
    """Per item of lists that were written in the DAG, those of its ``parts`` that it has, by key."""
    lists = written_items(expansion)
    assert lists is not None
    names = [name for name, _ in expansion.arguments]
    count = prod(map(len, lists)) if expansion.how == "product" else min(map(len, lists))
    found = []
    for number in range(count):
        known: dict[str, object] = {}
        for name, path in parts:
            if expansion.how == "kwargs":
                part = part_of(lists[0][number], (name, *path))
            else:
                at = names.index(name)
                # The last of several lists varies fastest.
                later = prod(map(len, lists[at + 1 :])) if expansion.how == "product" else 1
                part = part_of(lists[at][number // later % len(lists[at])], path)
            assert isinstance(part, Literal)
            if part != _NULL:
                known[field_key((name, *path))] = json.loads(part.json)
        found.append(known)
    return found


_NULL = Literal(json="null")


def _member(value: object, step: str | int) -> Literal:
    try:
        return Literal(json=json.dumps(value[step]))  # type: ignore[index]
    except (IndexError, KeyError, TypeError):
        return _NULL


def object_text(members: dict[str, str]) -> str:
    """JSONata for an object; a member without a value is left out, as JSONata does."""
    return "{" + ", ".join(f"{quoted(key)}: {value}" for key, value in members.items()) + "}"

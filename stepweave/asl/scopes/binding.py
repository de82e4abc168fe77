"""Free variables of states, and putting expressions in their place.

Only expressions (``{% ... %}``) are looked at, and in them only what is outside of string literals and quoted names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(r"'(?:[^'\\]|\\.)*'" r'|"(?:[^"\\]|\\.)*"' r"|`[^`]*`" r"|\$([A-Za-z_]\w*)", re.DOTALL)
_FREE = re.compile(r"(?:run|[os]_\w+)\Z")
"""What a body may know of the outside: the run, records of outer tasks, scopes around it."""


def free_variables(states: Any) -> list[str]:
    """Names of the variables from outside that ``states`` refer to, in order of appearance."""
    found: dict[str, None] = {}
    assigned: set[str] = set()
    for part in _walk(states):
        if isinstance(part, dict):
            assigned.update(part.get("Assign", ()))
        else:
            found.update((match[1], None) for match in _VARIABLE.finditer(part) if match[1])
    return [name for name in found if _FREE.match(name) and name not in assigned]


def bind(states: Any, values: Mapping[str, str]) -> Any:
    """``states`` with the JSONata ``values`` in the place of variables; the argument stays as it is."""

    def bound(text: str) -> str:
        if not is_expression(text):
            return text
        return _VARIABLE.sub(lambda match: values.get(match[1] or "", match[0]), text)

    return _mapped(states, bound)


def rename(states: Mapping[str, Any], renamed: Callable[[str], str]) -> dict[str, Any]:
    """``states`` by name, with every state renamed, those inside included, and every reference to one."""
    return {renamed(name): _renamed(state, renamed) for name, state in states.items()}


def is_expression(text: str) -> bool:
    """Whether ``text`` is evaluated."""
    return text.startswith("{%") and text.endswith("%}")


def _renamed(part: Any, renamed: Callable[[str], str]) -> Any:
    if isinstance(part, list):
        return [_renamed(inner, renamed) for inner in part]
    if not isinstance(part, dict):
        return part
    found: dict[str, Any] = {}
    for key, value in part.items():
        if key == "States":
            found[key] = rename(value, renamed)
        elif key in ("Next", "Default", "StartAt"):
            found[key] = renamed(value)
        elif key in ("Choices", "Catch", "Branches", "ItemProcessor"):
            found[key] = _renamed(value, renamed)
        else:
            found[key] = value
    return found


def _walk(part: Any) -> Iterator[dict[str, Any] | str]:
    """Every object and every expression inside ``part``, in order."""
    stack = [part]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            yield one
            stack.extend(reversed(one.values()))
        elif isinstance(one, list):
            stack.extend(reversed(one))
        elif isinstance(one, str) and is_expression(one):
            yield one


def _mapped(part: Any, change: Callable[[str], str]) -> Any:
    if isinstance(part, dict):
        return {key: _mapped(value, change) for key, value in part.items()}
    if isinstance(part, list):
        return [_mapped(value, change) for value in part]
    return change(part) if isinstance(part, str) else part

"""`alone_in`: one state of a definition as a definition of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stepweave.errors import UsageError

SET_UP = "run_state sets variables"
AGAIN = "run_state ends where the state leads to itself"


def alone_in(source: Mapping[str, Any], name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that enters ``name`` first, its ``variables`` set, and ends where it leads.

    Raises ``UsageError`` when ``source`` has no such state.
    """
    states = states_of(source)
    if name not in states:
        raise UsageError(
            f"the definition has no state {name!r}; it has: {', '.join(map(repr, states)) or 'none'}"
        )
    body = {key: _elsewhere(value, key, name) for key, value in states[name].items()}
    found: dict[str, Any] = {
        **{key: source[key] for key in ("QueryLanguage",) if key in source},
        "StartAt": name,
        "States": {name: body, **{target: {"Type": "Succeed"} for target in _targets(body)}},
    }
    if variables:
        assign = {key: literal(value) for key, value in variables.items()}
        found["States"][SET_UP] = {"Type": "Pass", "Assign": assign, "Next": name}
        found["StartAt"] = SET_UP
    return found


def states_of(source: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every state of a definition by name, those of branches and processors too."""
    found: dict[str, Mapping[str, Any]] = {}
    pending: list[Any] = [source]
    while pending:
        block = pending.pop()
        states = block.get("States") if isinstance(block, Mapping) else None
        for name, body in states.items() if isinstance(states, Mapping) else ():
            if isinstance(body, Mapping):
                found[name] = body
                branches = body.get("Branches")
                pending += [*(branches if isinstance(branches, list) else ()), body.get("ItemProcessor")]
    return found


def _elsewhere(value: Any, key: str, name: str) -> Any:
    """A field of the state ``name``: where it leads to itself, it leads to ``AGAIN``."""
    if key in ("Next", "Default"):
        return AGAIN if value == name else value
    if key in ("Choices", "Catch") and isinstance(value, list):
        return [
            {field: _elsewhere(part, field, name) for field, part in way.items()}
            if isinstance(way, Mapping)
            else way
            for way in value
        ]
    return value


def _targets(body: Mapping[str, Any]) -> list[str]:
    """The states that a state may lead to."""
    ways = [body, *(body.get("Choices") or ()), *(body.get("Catch") or ())]
    names = [way.get("Next") for way in ways if isinstance(way, Mapping)]
    return [name for name in dict.fromkeys([*names, body.get("Default")]) if isinstance(name, str)]


def literal(value: Any) -> Any:
    """A value as a field of a definition that gives just this value: an expression or a placeholder is quoted."""
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [literal(item) for item in value]
    if isinstance(value, str) and any(mark in value for mark in ("{%", "%}", "${")):
        quoted = json.dumps(value).replace("${", '$" & "{')  # so that it is no placeholder either
        return f"{{% {quoted} %}}"
    return value

"""A definition with its ``${Name}`` placeholders replaced, as CloudFormation does at deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stepweave.errors import DefinitionError, Problem

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


def substitute(definition: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """A copy of ``definition`` with every ``${Name}`` replaced from ``mapping``.

    Raises ``DefinitionError`` that names every placeholder without a value.

    >>> substitute({"FunctionName": "${Runner}"}, {"Runner": "run"})
    {'FunctionName': 'run'}
    """
    unknown: dict[str, None] = {}

    def replacement(match: re.Match[str]) -> str:
        if match[1] not in mapping:
            unknown[match[1]] = None
            return match[0]
        return mapping[match[1]]

    # Containers are filled after they are made, so that deep nesting needs no recursion.
    result: dict[str, Any] = {}
    pending: list[tuple[Any, Any]] = [(definition, result)]
    while pending:
        source, target = pending.pop()
        for key, value in source.items() if isinstance(target, dict) else enumerate(source):
            copy: Any = value
            if isinstance(value, str):
                if "${" in value:
                    copy = _PLACEHOLDER.sub(replacement, value)
            elif isinstance(value, dict | Mapping):  # dict first: asking for an abstract class is slow
                copy = {}
                pending.append((value, copy))
            elif isinstance(value, list):
                copy = []
                pending.append((value, copy))
            if isinstance(target, dict):
                target[key] = copy
            else:
                target.append(copy)
    if unknown:
        raise DefinitionError(_problem(name, mapping) for name in unknown)
    return result


def _problem(name: str, mapping: Mapping[str, str]) -> Problem:
    return Problem(
        code="substitution",
        what=f"the placeholder ${{{name}}} has no value",
        expected=", ".join(sorted(mapping)) or "no placeholder",
        got=name,
        fix=f"give a value for {name}",
    )

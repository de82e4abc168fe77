"""The JSON text of a definition, as it is read from a file."""

from __future__ import annotations

import json
from typing import Any

from stepweave.errors import DefinitionError, Problem


def parsed(text: str, *, name: str = "") -> Any:
    """The value of ``text``; ``name`` is what the problem calls it.

    Raises ``DefinitionError`` when it is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        what = f"the definition is not JSON: {reason}"
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise DefinitionError([Problem(code="json", what=what, file=name or None, line=line)]) from error


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} does not exist in JSON")

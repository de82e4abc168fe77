"""`indented`: JSON text for readers, fast.

In ``json`` only text on one line is written by C code; indenting a definition took longer than making it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_text = json.JSONEncoder(ensure_ascii=False).encode


def indented(value: Any) -> str:
    """The text that ``json.dumps(value, ensure_ascii=False, indent=1)`` gives; keys are strings.

    >>> print(indented({"a": [1]}))
    {
     "a": [
      1
     ]
    }
    """
    parts: list[str] = []
    _write(value, "", "\n", parts.append)
    return "".join(parts)


def _write(value: Any, before: str, line: str, write: Callable[[str], None]) -> None:
    """Write ``before``, then ``value``, whose last line starts with ``line``."""
    inner = f"{line} "
    if isinstance(value, dict) and value:
        separator = f"{before}{{{inner}"
        for key, item in value.items():
            _write(item, f"{separator}{_text(key)}: ", inner, write)
            separator = f",{inner}"
        write(f"{line}}}")
    elif isinstance(value, list) and value:
        separator = f"{before}[{inner}"
        for item in value:
            _write(item, separator, inner, write)
            separator = f",{inner}"
        write(f"{line}]")
    else:
        write(before + _text(value))

"""`module_named`: the one place where modules are imported late.

A short run takes most of its time to import. So only the chosen command's module is imported, rich only for a
terminal, and the engine only when the first worker process is already starting beside it.
"""

from __future__ import annotations

import importlib
from typing import Any


def module_named(name: str) -> Any:
    """The module of that name, imported now."""
    return importlib.import_module(name)

"""Modules that a process which only runs tasks does without: it imports DAGs, but traces none.

What a Lambda function imports is paid at every cold start, and the module of a DAG imports authoring.
"""

from __future__ import annotations

import importlib
from typing import Any


def when_needed(name: str) -> Any:
    """A module of authoring, imported now."""
    return importlib.import_module(f"stepweave.authoring.{name}")

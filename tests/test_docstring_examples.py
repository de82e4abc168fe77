"""The examples in docstrings say what happens."""

from __future__ import annotations

import ast
import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("stepweave", "functions", "infra", "statemachines")
SERVER = ROOT / "stepweave" / "local_aws" / "layer"
"""Modules that run in the server's own virtual environment: what they need is not in this one."""


def modules() -> list[str]:
    """Modules with examples; those of the server only where they can be imported here."""
    found = [
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if ">>> " in path.read_text()
    ]
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in found
        if SERVER not in path.parents or not _imports_the_server(path)
    ]


def _imports_the_server(path: Path) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack")
        for node in ast.walk(ast.parse(path.read_text()))
    )


@pytest.mark.parametrize("module", modules())
def test_the_examples_of_a_module_say_what_happens(module: str) -> None:
    done = doctest.testmod(importlib.import_module(module))
    assert done.attempted
    assert not done.failed

"""The example at the top of the README compiles to what it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from stepweave.compiler import compile_graph

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_first_example_compiles_and_its_condition_is_one_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("first_example")
    monkeypatch.setitem(sys.modules, "first_example", module)
    (block,) = re.findall(r"```python\n(from stepweave import Else.*?)```", README, re.S)
    exec(compile(block, "first_example.py", "exec"), vars(module))

    states = compile_graph(module.churn.graph()).machines.definitions[""]["States"]
    assert [states[name]["Type"] for name in ("load", "train", "choose", "if", "deploy", "alert")] == [
        "Task", "Map", "Task", "Choice", "Task", "Task",
    ]  # fmt: skip

"""The user's guide shows DAGs that work."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from stepweave.authoring.dags import Dag
from stepweave.authoring.options import OPTIONS
from stepweave.graph.outcomes import RULES

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")


def test_every_dag_of_the_guide_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("guide")
    monkeypatch.setitem(sys.modules, "guide", module)
    for block in re.findall(r"```python\n(.*?)```", GUIDE, re.S):
        exec(compile(block, "guide.py", "exec"), vars(module))
    dags = {name: value for name, value in vars(module).items() if isinstance(value, Dag)}

    sizes = {name: len(dag.graph()) for name, dag in dags.items()}
    assert {"churn", "ordered"} <= sizes.keys()
    assert min(sizes.values()) >= 1


def test_the_guide_names_every_option_and_trigger_rule() -> None:
    assert [name for name in (*OPTIONS, *RULES) if f"`{name}" not in GUIDE] == []

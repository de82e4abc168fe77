"""The committed state machines: what a reviewer reads is what will run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COMPILED = sorted(ROOT.glob("statemachines/**/asl/*.asl.json"))


def test_every_committed_state_machine_is_what_its_dag_compiles_to() -> None:
    """When this fails: `make compile`, and look at the difference."""
    command = [Path(sys.executable).with_name("stepweave"), "compile", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_dag_has_its_state_machine_committed() -> None:
    modules = [
        path for path in ROOT.glob("statemachines/**/*.py") if "@dag" in path.read_text(encoding="utf-8")
    ]
    assert len(modules) > 30
    assert len(COMPILED) >= len(modules)


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_a_committed_state_machine_names_no_machine_account_or_region(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert "amazonaws.com" not in text
    assert not any(part.isdigit() and len(part) == 12 for part in text.replace('"', ":").split(":"))
    assert json.loads(text)["QueryLanguage"] == "JSONata"

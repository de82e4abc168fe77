"""docs/examples.md and its pictures are what the examples make of them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_page_and_its_pictures_are_up_to_date() -> None:
    """When this fails: `make compile`, and look at the difference."""
    command = [sys.executable, "-m", "tests.docs.examples_page", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_example_has_its_section_in_order() -> None:
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    linked = re.findall(r"^\[`(e\d\d_\w+\.py)`\]", page, re.MULTILINE)
    assert linked == sorted(path.name for path in (ROOT / "statemachines" / "examples").glob("e*.py"))
    assert len(linked) >= 30

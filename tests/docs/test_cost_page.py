"""docs/cost.md says what the code computes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from stepweave.pricing.prices import PRICES

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "cost.md"


def test_the_page_is_up_to_date() -> None:
    """When this fails: `make compile`, and look at the difference."""
    command = [sys.executable, "-m", "tests.docs.cost_page", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_dag_of_the_repository_and_every_price_has_a_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    compiled = [path.name for path in ROOT.glob("statemachines/**/*.asl.json")]
    dags = {name.split(".")[0] for name in compiled if ".cleanup." not in name}
    rows = set(re.findall(r"^\| `(\w+)` \| \d+ \|", text, re.MULTILINE))
    assert rows == dags
    assert all(f"| {price.service}: {price.what} |" in text for price in PRICES.values())


def test_no_example_is_dearer_here_than_as_a_job_for_each_step() -> None:
    times = [
        float(found) for found in re.findall(r"\| (\d+\.\d) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    ]
    assert len(times) > 40
    assert min(times) > 1

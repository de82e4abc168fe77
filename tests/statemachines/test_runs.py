"""The pipelines, run as a newcomer runs them: by the command, in a folder of their own, with worker processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


def run_pipeline(name: str, *options: str, status: int = 0) -> dict[str, Any]:
    """The answer of ``stepweave run --json``."""
    target = str(ROOT / "statemachines" / name)
    command = [Path(sys.executable).with_name("stepweave"), "run", target, "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def statuses(run: dict[str, Any]) -> dict[str, str]:
    return {task: each["status"] for task, each in run["tasks"].items()}


def test_a_chain_passes_values_and_params() -> None:
    run = run_pipeline("examples/e01_chain.py", "--param", "name=Grace")
    assert run["status"] == "success"
    assert run["tasks"]["shout"]["value"] == "HELLO, GRACE!"
    assert run["tasks"]["count"]["value"] == {"letters": 10, "words": 2}


def test_a_fan_in_gets_the_values_in_the_order_written() -> None:
    run = run_pipeline("examples/e02_fan_out.py")
    assert run["tasks"]["longest"]["value"] == "pangram"
    assert list(run["tasks"]) == ["count_proverb", "count_pangram", "count_motto", "longest"]


def test_in_an_n_the_fast_side_goes_on_before_the_slow_one_ends(tmp_path: Path) -> None:
    run = run_pipeline("examples/e03_n_shape.py", "--param", "seconds=1")
    assert run["tasks"]["join"]["value"] == ["Grace: compiler", "Ada: engine"]
    store = tmp_path / ".stepweave" / "runs" / "n_shape" / run["run_id"]
    committed = {task: (store / task / "result.json").stat().st_mtime_ns for task in ("orders", "newest")}
    assert committed["newest"] < committed["orders"]


def test_a_failure_stops_what_depends_on_it_and_nothing_else() -> None:
    run = run_pipeline("examples/e04_retries_and_failure.py", status=1)
    assert run["status"] == "failed"
    assert statuses(run) == {
        "fetch": "success",
        "parse": "failed",
        "load": "upstream_failed",
        "archive": "success",
        "tidy": "success",
    }
    assert run["tasks"]["fetch"]["attempts"] == 2
    assert run["tasks"]["parse"]["attempts"] == 1


def test_with_sound_rows_the_same_dag_succeeds() -> None:
    run = run_pipeline("examples/e04_retries_and_failure.py", "--param", "bad_row=-1")
    assert set(statuses(run).values()) == {"success"}


@pytest.mark.slow
def test_the_digits_pipeline_leaves_a_good_model_and_its_card(tmp_path: Path) -> None:
    run = run_pipeline("digits.py")
    assert set(statuses(run).values()) == {"success"}
    assert len(run["tasks"]) >= 10
    assert run["tasks"]["summarise"]["value"]["accuracy"] >= 0.95

    store = tmp_path / ".stepweave" / "runs" / "digits" / run["run_id"]
    assert (store / "model_card" / "output.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (store / "export_model" / "output.skops").stat().st_size > 10_000
    assert (store / "plot_confusion" / "output.png").read_bytes().startswith(b"\x89PNG")

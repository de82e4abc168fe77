"""The example that shows deployment: what starts it, where its tasks run, and what it does with good and bad files."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from stepweave.authoring.schedule import Cron
from stepweave.compiler import compile_graph
from stepweave.runtime.context import Context, get_current_context, swap_context
from tests.statemachines.examples.example_runs import FOLDER, example, run_example, store

SAMPLE = FOLDER / "e31_customers.csv"
TASKS_WITHOUT_CASES = ("load", "profile", "drift", "train", "evaluate", "model_card")


def context() -> Context:
    return Context(dag_id="test", run_id="test", task_id="test", store=store())


def test_an_upload_and_the_clock_start_it() -> None:
    graph = example("e31").graph()
    (trigger,) = map(json.loads, graph.dag.triggers)
    assert (trigger["prefix"], trigger["suffix"]) == ("raw/customers/", ".csv")
    assert example("e31").schedule == Cron("0 6 * * 1-5", timezone="Europe/Berlin")


def test_only_the_training_runs_on_batch_and_a_gate_keeps_the_drift_from_waiting() -> None:
    compiled = compile_graph(example("e31").graph())
    assert [name for name, place in compiled.placements.items() if place.compute == "batch"] == ["train"]
    assert compiled.graph["train"].resources.spot
    assert (compiled.report.gates, compiled.report.machines) == (1, 1)


def test_without_a_file_it_learns_from_the_sample_and_releases_a_model() -> None:
    run = run_example("e31")
    assert run.status == "success"
    assert {run.statuses[task] for task in (*TASKS_WITHOUT_CASES, "release")} == {"success"}
    assert run.statuses["keep"] == "skipped"
    assert run.value("evaluate")["accuracy"] > run.value("evaluate")["baseline"]
    assert context().latest("churn-model", "production") == run.value("train")
    assert next(run.prefix("model_card").rglob("*.md")).read_text().startswith("# Churn model")


def test_a_model_that_is_not_good_enough_stays_away() -> None:
    run = run_example("e31", threshold=0.99, rounds=10)
    assert (run.status, run.statuses["release"], run.statuses["keep"]) == ("success", "skipped", "success")


def test_a_file_that_came_is_taken_again_by_the_run_of_the_clock() -> None:
    rows = SAMPLE.read_text().splitlines()
    Path("customers.csv").write_text("\n".join(rows[:201]))
    uploaded = run_example("e31", uri="customers.csv", rounds=10)
    scheduled = run_example("e31", rounds=10)
    assert uploaded.value("profile") == scheduled.value("profile")
    assert set(scheduled.value("drift").values()) == {0.0}
    fewer = rows[:151]
    Path("customers.csv").write_text("\n".join(fewer))
    assert set(run_example("e31", uri="customers.csv", rounds=10).value("drift").values()) != {0.0}


def test_training_that_was_cut_off_goes_on_at_its_checkpoint() -> None:
    module = importlib.import_module(example("e31").module)
    rows = module.parse(SAMPLE.read_text())
    before = swap_context(context())
    try:
        whole = module.train(rows, 60)
        kept = get_current_context().checkpoint.load()
        assert kept["rounds"] == module.ROUNDS_KEPT
        assert module.train(rows, 60) == whole
        get_current_context().checkpoint.save({"rounds": 60, "weights": [1.0] * 5})
        assert module.train(rows, 60) == {**whole, "weights": [1.0] * 5}
    finally:
        swap_context(before)


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,b\n1,2\n", "line 2 is no customer"),
        ("customer,months,calls,bill,contract,left\nc1,1,2,3,yearly,0\n", "1 customers are too few"),
    ],
)
def test_a_file_that_is_no_use_fails_the_run_at_once(text: str, message: str) -> None:
    Path("customers.csv").write_text(text)
    run = run_example("e31", uri="customers.csv")
    assert run.status == "failed"
    assert run.tasks["load"]["attempts"] == 1
    assert message in run.tasks["load"]["error"]["message"]

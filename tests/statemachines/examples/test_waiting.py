"""Examples of waiting: for something outside, and for somebody."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from stepweave.cli.main import execute
from tests.statemachines.examples.example_runs import STORE, Ended, run_example


def test_a_sensor_hands_on_what_has_arrived() -> None:
    run = run_example("e24", "sensor", after=0.0)
    assert run.status == "success"
    assert run.value("arrived") == [20.5, 21.0, 19.5]
    assert run.value("mean") == 20.33


def test_a_sensor_that_waits_in_vain_is_skipped_and_so_is_what_needs_it() -> None:
    run = run_example("e24", "sensor", after=99.0)
    assert run.status == "success"
    assert (run.statuses["arrived"], run.statuses["mean"]) == ("skipped", "skipped")


def test_a_report_waits_for_the_run_of_the_other_dag_for_the_same_day() -> None:
    day = "2026-01-31T00:00:00+00:00"
    measured = run_example("e24", "sensor", after=0.0, logical_date=day)
    reported = run_example("e24", "daily_report", logical_date=day)
    assert reported.value("write") == f"run {measured.id} of that day: success"


def test_a_run_for_another_day_is_not_what_is_waited_for() -> None:
    run_example("e24", "sensor", after=0.0, logical_date="2026-01-31T00:00:00+00:00")
    run = run_example("e24", "daily_report", logical_date="2026-02-01T00:00:00+00:00")
    assert run.statuses == {"wait_for_dag": "failed", "write": "upstream_failed"}
    assert run.tasks["wait_for_dag"]["error"]["type"] == "SensorTimeout"


@pytest.mark.parametrize(
    "answer, task, words",
    [
        (["--by", "ml-leads"], "deploy", "churn-12 is live; ml-leads said so"),
        (
            ["--by", "ml-leads", "--reject", "--comment", "on a Friday?"],
            "keep",
            "kept the old model: on a Friday?",
        ),
    ],
    ids=["approved", "rejected"],
)
def test_a_decision_lets_the_run_go_on(answer: list[str], task: str, words: str) -> None:
    ended: list[Ended] = []
    runner = threading.Thread(target=lambda: ended.append(run_example("e25", workers=1)))
    runner.start()
    pause = threading.Event()
    while runner.is_alive() and not list(Path(STORE).glob("runs/sign_off/*/sign_off/approval.json")):
        pause.wait(0.02)
    # The request is there before the records are: until then the command finds no run.
    while runner.is_alive() and execute(["approve", "latest", "sign_off", *answer]) != 0:
        pause.wait(0.02)
    runner.join()
    assert ended[0].status == "success"
    assert ended[0].value(task) == words
    assert ended[0].value("sign_off")["by"] == "ml-leads"


def test_an_approval_that_nobody_answers_is_escalated_and_then_rejected() -> None:
    run = run_example("e25")
    assert run.status == "success"
    assert run.value("keep") == "kept the old model: nobody said anything"
    request = json.loads((run.prefix("sign_off") / "approval.json").read_text())
    assert request["approvers"] == ["ml-leads", "head-of-data"]

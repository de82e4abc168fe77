"""The dashboard of a DAG shows its runs, its tasks and what failed."""

from __future__ import annotations

import json
from typing import Any

from infra.dags.dashboard import WIDTH, Shown, body
from tests.infra.dags.stacks import Stacks


def shown(**given: Any) -> Shown:
    usual = {
        "env": "dev",
        "dag": "churn",
        "doc": "Who leaves.",
        "region": "eu-west-1",
        "machine_arn": "arn:aws:states:eu-west-1:1:stateMachine:stepweave-dev-churn",
        "task_log_group": "/stepweave/dev/churn/tasks",
        "job_log_group": "",
        "has_schedule": False,
    }
    return Shown(**{**usual, **given})


def titles(found: dict[str, Any]) -> list[str]:
    return [one["properties"].get("title", "") for one in found["widgets"]]


def test_widgets_do_not_overlap_and_stay_within_the_width() -> None:
    taken = set()
    for one in body(shown(has_schedule=True))["widgets"]:
        cells = {
            (x, y)
            for x in range(one["x"], one["x"] + one["width"])
            for y in range(one["y"], one["y"] + one["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 2 * WIDTH
        taken |= cells


def test_runs_are_those_of_the_state_machine() -> None:
    runs = body(shown())["widgets"][1]["properties"]
    assert {metric[1] for metric in runs["metrics"]} == {
        "ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted",
    }  # fmt: skip
    assert {metric[3] for metric in runs["metrics"]} == {shown().machine_arn}


def test_only_a_dag_with_a_schedule_shows_how_late_it_starts() -> None:
    assert "Start after its time (s)" in titles(body(shown(has_schedule=True)))
    assert "Start after its time (s)" not in titles(body(shown()))


def test_logs_of_jobs_are_looked_through_where_there_are_jobs() -> None:
    with_jobs = json.dumps(body(shown(job_log_group="/stepweave/dev/churn/jobs")))
    assert "SOURCE '/stepweave/dev/churn/tasks' | SOURCE '/stepweave/dev/churn/jobs' |" in with_jobs
    assert "/jobs" not in json.dumps(body(shown()))


def test_the_deployed_dashboard_is_that_of_the_dag(watched: Stacks) -> None:
    dashboard = watched["churn"].only("CloudWatch::Dashboard")
    assert dashboard["DashboardName"] == "stepweave-prod-churn"
    assert "Failures of each task" in json.dumps(dashboard["DashboardBody"])

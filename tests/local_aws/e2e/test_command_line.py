"""The commands about runs, typed in a project that is deployed."""

from __future__ import annotations

import json

from tests.local_aws.e2e.deployed import ENV, Deployed, until

AT = ("--env", ENV)


def test_a_run_that_is_waited_for_prints_its_tasks_as_they_end_and_a_summary(deployed: Deployed) -> None:
    said = deployed.stepweave("trigger", "patient", "-p", "seconds=0.1", "--run-id", "waited", "--wait", *AT)
    lines = said.splitlines()
    assert lines[0] == "waited: started"
    ended = [line.split()[1] for line in lines if line.startswith("success ")]
    assert ended == ["rent", "think", "give_back"]
    assert "waited: success in" in said


def test_a_run_that_fails_ends_the_command_with_status_1_and_says_how_to_go_on(deployed: Deployed) -> None:
    said = deployed.stepweave("trigger", "failing", "--run-id", "fails", "--wait", *AT, status=1)
    assert "bad: DataError: line 3 has four columns, expected five" in said
    assert f"stepweave resume fails --env {ENV}" in said
    shown = deployed.shown("fails")["tasks"]
    assert {task: each["status"] for task, each in shown.items()} == {
        "good": "success",
        "bad": "failed",
        "join": "upstream_failed",
    }


def test_what_a_task_printed_and_why_it_failed_is_in_its_log(deployed: Deployed) -> None:
    deployed.stepweave("trigger", "failing", "--run-id", "logged", "--wait", *AT, status=1)
    (log,) = json.loads(deployed.stepweave("logs", "logged", "bad", *AT, "--json"))["logs"]
    assert (log["task"], log["attempt"]) == ("bad", 1)
    assert "line 3 has four columns" in log["text"]
    assert "Traceback" in log["text"]


def test_the_lines_of_a_job_are_followed_with_those_of_functions(deployed: Deployed) -> None:
    deployed.stepweave("trigger", "troubled", "--run-id", "followed", "--wait", *AT)
    lines = deployed.stepweave("logs", "followed", "--follow", *AT).splitlines()
    assert {line.partition(":")[0] for line in lines} >= {"collect", "crunch", "dies", "hangs"}


def test_a_cancelled_run_shows_what_was_cleaned_up_after_it(deployed: Deployed) -> None:
    run_id = deployed.started("patient", "--param", "seconds=60")
    until(lambda: deployed.keys(f"runs/patient/{run_id}/rent/"), bool)
    said = deployed.stepweave("cancel", run_id, *AT)
    assert said == f"{run_id}: cancelled; go on with: stepweave resume {run_id} --env {ENV}\n"
    tasks = until(
        lambda: deployed.shown(run_id)["tasks"], lambda tasks: tasks["give_back"]["status"] == "success"
    )
    assert {task: each["status"] for task, each in tasks.items()} == {
        "rent": "success",
        "think": "failed",
        "give_back": "success",
    }


def test_dates_are_filled_one_by_one_and_not_twice(deployed: Deployed) -> None:
    given = ("backfill", "daily", "--start", "2026-03-01", "--end", "2026-03-02", *AT, "--json")
    first = json.loads(deployed.stepweave(*given))["runs"]
    assert [run["status"] for run in first] == ["success", "success"]
    assert [run["skipped"] for run in json.loads(deployed.stepweave(*given))["runs"]] == [True, True]
    value = deployed.values(first[0]["run_id"])["report"]
    assert value == first[0]["logical_date"] == "2026-03-01T05:00:00+00:00"


def test_an_environment_that_is_not_deployed_is_wrong_usage_that_names_those_that_are(
    deployed: Deployed,
) -> None:
    said = json.loads(deployed.stepweave("runs", "--env", "prod", "--json", status=2))
    assert "no environment 'prod' in account 000000000000" in said["error"]["message"]
    assert f"environments there: {ENV}" in said["error"]["message"]

"""The commands about runs, with ``--env``: the words, the tables and the JSON of runs on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stepweave.cli.environment import logs
from stepweave.deployed import looking
from stepweave.stores.run_table import RunFacts
from tests.cli.environment.conftest import Deployed
from tests.deployed.deployed_world import FunctionFailed

Said = Callable[..., tuple[int, str]]
ENV = ("--env", "dev")


def test_runs_are_listed_with_status_time_and_error(deployed: Deployed, said: Said) -> None:
    deployed.ran(limit=1)
    status, text = said("runs", *ENV)
    assert status == 0
    head, row = text.splitlines()
    assert head.split() == ["RUN", "STATUS", "STARTED", "TOOK"]
    assert row.startswith("sales-1  failed")
    assert "check" in row


def test_the_list_as_json_has_the_members_of_runs_on_this_machine(deployed: Deployed, said: Said) -> None:
    deployed.ran(limit=1)
    (far,) = json.loads(said("runs", *ENV, "--json")[1])["runs"]
    (here,) = json.loads(said("runs", "--store", deployed.world.store, "--json")[1])["runs"]
    assert far.keys() >= here.keys()
    same = ("run_id", "dag_id", "status", "error", "resumes", "logical_date", "parent")
    assert {name: far[name] for name in same} == {name: here[name] for name in same}
    assert far["params"] == {"limit": 1}
    assert far["env"] == "dev"


def test_a_dag_that_is_not_deployed_is_wrong_usage(deployed: Deployed, said: Said) -> None:
    status, text = said("runs", "sale", *ENV)
    assert status == 2
    assert "did you mean 'sales'" in text


def test_an_environment_without_runs_says_how_to_start_one(deployed: Deployed, said: Said) -> None:
    status, text = said("runs", "sales", *ENV)
    assert (status, text) == (
        0,
        "no runs of 'sales' in environment 'dev'; start one with: stepweave trigger sales --env dev\n",
    )


def test_a_run_is_shown_with_the_table_of_runs_on_this_machine(deployed: Deployed, said: Said) -> None:
    deployed.ran(limit=1)
    far = said("show", "latest", *ENV)[1].split("\n\n")
    here = said("show", "latest", "--store", deployed.world.store)[1].split("\n\n")
    assert without_times(far[1]) == without_times(here[1])
    assert "env      dev" in far[0]
    assert "console  https://" in far[0]


def test_a_run_shown_as_json_has_the_tasks_of_the_run_on_this_machine(deployed: Deployed, said: Said) -> None:
    deployed.ran(limit=5)
    far = json.loads(said("show", "latest", *ENV, "--json")[1])["tasks"]
    here = json.loads(said("show", "latest", "--store", deployed.world.store, "--json")[1])["tasks"]
    for tasks in (far, here):
        for task in tasks.values():
            task.pop("duration_seconds")
    assert far == here
    assert far["report"]["value"] == "6/3"


def test_a_task_of_a_run_is_shown_with_the_whole_of_its_error(deployed: Deployed, said: Said) -> None:
    deployed.ran(limit=1)
    _, table, error = said("show", "latest", *ENV, "--task", "check")[1].split("\n\n")
    assert [line.split()[0] for line in table.splitlines()] == ["TASK", "check"]
    assert error == "check: DataError: too many rows\nlog: stepweave logs sales-1 check --env dev\n"
    assert list(json.loads(said("show", "latest", *ENV, "--task", "check", "--json")[1])["tasks"]) == [
        "check"
    ]
    assert said("show", "latest", *ENV, "--task", "chek")[0] == 2


def test_a_run_whose_record_is_late_is_shown_as_its_execution_is(deployed: Deployed, said: Said) -> None:
    deployed.ran(status="running", limit=1)
    shown = json.loads(said("show", "sales-1", *ENV, "--json")[1])
    assert shown["status"] == "failed"
    assert "check" in shown["error"]


def test_a_run_whose_module_is_not_here_is_shown_without_tasks_and_says_why(
    deployed: Deployed, said: Said, tmp_path: Path
) -> None:
    deployed.ran()
    for file in (tmp_path / "statemachines").iterdir():
        if file.is_file():
            file.unlink()
    status, text = said("show", "latest", *ENV)
    assert status == 0
    assert "status   success" in text
    assert "DAG 'sales' is not found here" in text


def test_a_run_of_code_that_is_deployed_no_more_says_so(deployed: Deployed, said: Said) -> None:
    deployed.ran(code_version="a" * 64)
    deployed.world.deploy("sales", code_version="a" * 64)
    assert "code " not in said("show", "latest", *ENV)[1]
    deployed.world.deploy("sales", code_version="b" * 64)
    assert "code     aaaaaaaaaaaa; by now bbbbbbbbbbbb is deployed" in said("show", "latest", *ENV)[1]


def test_a_run_that_is_queued_is_shown_as_such(deployed: Deployed, said: Said) -> None:
    deployed.world.queue.enqueue("sales", "sales-1", "{}", RunFacts(), 1_000)
    status, text = said("show", "sales-1", *ENV)
    assert status == 0
    assert "status   queued" in text
    assert "the run has not begun" in text


def test_a_run_is_started_with_typed_params_and_its_link_is_printed(deployed: Deployed, said: Said) -> None:
    arn = "arn:aws:states:eu-central-1:1:execution:m:sales-7"
    deployed.world.functions.functions["sales-starter:live"] = lambda event: {
        "run_id": "sales-7",
        "execution": arn,
        "status": "started",
    }
    status, text = said("trigger", "sales", "-p", "limit=3", *ENV)
    assert status == 0
    assert text.splitlines() == [
        "sales-7: started",
        f"https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/{arn}",
        "look: stepweave show sales-7 --env dev",
    ]
    event = deployed.world.functions.asked[0][1]
    assert event["params"] == {"limit": 3}
    assert event["by"]


def test_wrong_params_are_refused_before_aws_is_asked(deployed: Deployed, said: Said) -> None:
    status, text = said("trigger", "sales", "-p", "limit=many", *ENV)
    assert status == 2
    assert "limit" in text
    assert deployed.world.functions.asked == []


def test_params_of_a_dag_that_is_not_here_are_json_where_they_can_be(deployed: Deployed, said: Said) -> None:
    deployed.world.deploy("churn")
    deployed.world.functions.functions["churn-starter:live"] = lambda event: {
        "run_id": "churn-1",
        "execution": None,
        "status": "queued",
    }
    status, text = said("trigger", "churn", "-p", "n=3", "-p", "name=ada", *ENV)
    assert status == 0
    assert "queued" in text
    assert deployed.world.functions.asked[0][1]["params"] == {"n": 3, "name": "ada"}


def test_what_the_starter_refuses_is_wrong_usage_and_an_error_object(deployed: Deployed, said: Said) -> None:
    def refuse(event: Mapping[str, Any]) -> Any:
        raise FunctionFailed("ParamsError", "no such param: day")

    deployed.world.functions.functions["sales-starter:live"] = refuse
    status, text = said("trigger", "sales", *ENV, "--json")
    assert status == 2
    assert json.loads(text)["error"]["message"] == "no such param: day"


@pytest.mark.parametrize("limit, status, word", [(5, 0, "success"), (1, 1, "failed")])
def test_a_run_that_is_waited_for_ends_with_its_summary_and_status(
    limit: int, status: int, word: str, deployed: Deployed, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "FIRST_POLL_SECONDS", 0.0)
    seen = deployed.ran(limit=limit)
    deployed.world.functions.functions["sales-starter:live"] = lambda event: {
        "run_id": "sales-1",
        "execution": seen.root.arn,
        "status": "started",
    }
    found, text = said("trigger", "sales", "-p", f"limit={limit}", "--wait", *ENV)
    assert found == status
    assert f"sales-1: {word} in" in text
    for command in ("resume sales-1 --env dev", "logs sales-1 check --env dev"):
        assert (f"stepweave {command}" in text) == (word == "failed")
    assert "success          load" in text


def test_a_run_that_is_waited_for_prints_the_json_of_run(
    deployed: Deployed, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "FIRST_POLL_SECONDS", 0.0)
    seen = deployed.ran(limit=5)
    deployed.world.functions.functions["sales-starter:live"] = lambda event: {
        "run_id": "sales-1",
        "execution": seen.root.arn,
        "status": "started",
    }
    status, text = said("trigger", "sales", "--wait", *ENV, "--json")
    assert status == 0
    found = json.loads(text)
    assert found.keys() == {"run_id", "dag_id", "status", "tasks", "wall_seconds"}
    assert found["tasks"]["total"]["value"] == 6


def test_a_failed_run_is_resumed(deployed: Deployed, said: Said) -> None:
    deployed.ran(limit=1)
    deployed.world.functions.functions["sales-starter:live"] = lambda event: {
        "run_id": "sales-1",
        "execution": "arn:aws:states:eu-central-1:1:execution:m:sales-1-r2",
        "status": "started",
    }
    status, text = said("resume", "latest", *ENV)
    assert status == 0
    assert text.startswith("sales-1: started\n")
    assert deployed.world.functions.asked[0][1]["source"] == "resume"


def test_a_run_that_has_ended_is_not_stopped(deployed: Deployed, said: Said) -> None:
    deployed.ran()
    assert said("cancel", "latest", *ENV) == (0, "sales-1: success already\n")


def test_a_named_approval_is_decided_by_the_function(deployed: Deployed, said: Said) -> None:
    deployed.ran()
    decision = {"approved": True, "by": "ada", "at": "2026-01-01T00:00:00+00:00", "comment": ""}
    deployed.world.functions.functions["approvals-dev:live"] = lambda event: decision
    status, text = said("approve", "latest", "sign_off[3]", "--by", "ada", *ENV)
    assert (status, text) == (0, "sign_off of sales-1: approved by ada\n")
    assert deployed.world.functions.asked[0][1]["run"] == {"dag": "sales", "id": "sales-1", "index": "3"}


def test_approving_what_nothing_waits_for_is_wrong_usage(deployed: Deployed, said: Said) -> None:
    deployed.ran()
    status, text = said("approve", "latest", *ENV)
    assert status == 2
    assert "nothing in run sales-1 waits for an approval; see: stepweave show sales-1 --env dev" in text


def test_logs_are_printed_an_attempt_after_the_other(
    deployed: Deployed, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "POLL_SECONDS", 0.0)
    seen = deployed.ran()
    at = int(seen.root.started_at * 1000) + 1
    keys = {"level": "INFO", "run": "sales-1", "index": "", "attempt": 0}
    lines = [("s1", "load", "rows"), ("s2", "total", "summing"), ("s1", "load", "done")]
    deployed.world.logs.groups["/stepweave/dev/sales/tasks"] = [
        (stream, at + place, json.dumps({**keys, "task": task, "message": message}))
        for place, (stream, task, message) in enumerate(lines)
    ]
    deployed.world.logs.groups["/stepweave/dev/sales/jobs"] = []
    assert said("logs", "latest", *ENV) == (
        0,
        "==> load, attempt 1 <==\nINFO rows\nINFO done\n==> total, attempt 1 <==\nINFO summing\n",
    )
    assert json.loads(said("logs", "latest", "total", *ENV, "--json")[1]) == {
        "logs": [{"task": "total", "attempt": 1, "text": "INFO summing\n"}]
    }
    followed = said("logs", "latest", "--follow", *ENV)[1].splitlines()
    assert followed == ["load: INFO rows", "total: INFO summing", "load: INFO done"]


def test_where_nothing_was_logged_it_is_said_where_was_looked(deployed: Deployed, said: Said) -> None:
    deployed.ran()
    deployed.world.logs.groups["/stepweave/dev/sales/tasks"] = []
    text = said("logs", "latest", *ENV)[1]
    assert 'looked for { $.run = "sales-1" } in /stepweave/dev/sales/tasks' in text
    assert "/stepweave/dev/sales/jobs (which is not there)" in text


@pytest.mark.parametrize("command", ["runs", "show latest", "logs latest", "trigger sales", "resume latest"])
def test_naming_a_store_besides_an_environment_is_wrong_usage(
    command: str, deployed: Deployed, said: Said
) -> None:
    status, text = said(*command.split(), *ENV, "--store", "elsewhere")
    assert status == 2
    assert "an environment has a store of its own" in text


def test_following_a_run_of_this_machine_is_wrong_usage(deployed: Deployed, said: Said) -> None:
    status, text = said("logs", "latest", "--follow")
    assert status == 2
    assert "--env" in text


def without_times(table: str) -> list[str]:
    """The rows of a table of tasks, without how long something took."""
    return [re.sub(r"\s+[\d.]+ (ms|s|min|h)\b", "", line) for line in table.splitlines()]

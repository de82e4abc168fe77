"""Backfills of a deployed DAG: each date once, what failed goes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from typing import Any

import pytest

from stepweave.cli.environment import backfill
from tests.cli.environment.conftest import Deployed

Said = Callable[..., tuple[int, str]]
DATES = ("--start", "2026-01-01", "--end", "2026-01-03", "--every", "1d", "--env", "dev", "--json")


@pytest.fixture
def starter(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """An environment whose runs end at once, those of the second day badly."""
    monkeypatch.setattr(backfill, "POLL_SECONDS", 0.01)
    number = iter(range(100))

    def start(event: Mapping[str, Any]) -> dict[str, Any]:
        run_id = event["run_id"]
        is_bad = run_id.endswith("-02") and event["source"] != "resume"
        execution = f"arn:aws:states:eu-central-1:1:execution:m:{run_id}-{next(number)}"
        deployed.world.record(
            "sales",
            run_id,
            "failed" if is_bad else "success",
            execution=execution,
            error="no rows" if is_bad else "",
            started=datetime.now(UTC),
        )
        return {"run_id": run_id, "execution": execution, "status": "started"}

    deployed.world.functions.functions["sales-starter:live"] = start
    return deployed


def test_each_date_is_a_run_of_its_own_with_its_logical_date(starter: Deployed, said: Said) -> None:
    status, text = said("backfill", "sales", *DATES, "-p", "limit=3")
    assert status == 1
    runs = json.loads(text)["runs"]
    assert [run["status"] for run in runs] == ["success", "failed", "success"]
    assert runs[1]["error"] == "no rows"
    asked = [event for _, event in starter.world.functions.asked]
    assert [event["logical_date"] for event in asked] == [
        f"2026-01-0{day}T00:00:00+00:00" for day in (1, 2, 3)
    ]
    assert {event["params"]["limit"] for event in asked} == {3}


def test_the_same_command_again_resumes_what_failed_and_nothing_else(starter: Deployed, said: Said) -> None:
    said("backfill", "sales", *DATES)
    starter.world.functions.asked.clear()
    status, text = said("backfill", "sales", *DATES)
    assert status == 0
    assert [run["skipped"] for run in json.loads(text)["runs"]] == [True, False, True]
    ((_, event),) = starter.world.functions.asked
    assert event["source"] == "resume"
    assert event["run_id"].endswith("2026-01-02")


def test_a_date_that_cannot_be_started_has_failed_and_the_others_go_on(starter: Deployed, said: Said) -> None:
    start = starter.world.functions.functions["sales-starter:live"]

    def refuses_the_first(event: Mapping[str, Any]) -> Any:
        if event["run_id"].endswith("-01"):
            return {"error": {"type": "UsageError", "message": "not on New Year's Day"}}
        return start(event)

    starter.world.functions.functions["sales-starter:live"] = refuses_the_first
    status, text = said("backfill", "sales", *DATES)
    assert status == 1
    first, *others = json.loads(text)["runs"]
    assert (first["status"], first["error"]) == ("failed", "not on New Year's Day")
    assert [run["status"] for run in others] == ["failed", "success"]


def test_after_a_ctrl_c_runs_that_go_on_are_named_with_the_way_to_stop_them(
    starter: Deployed, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def start(event: Mapping[str, Any]) -> dict[str, Any]:
        begun.set()
        return {"run_id": event["run_id"], "execution": None, "status": "started"}

    def interrupted(pending: list[Future[Any]]) -> None:
        """Waits as `wait` does, and hears a Ctrl-C when the first run has begun."""
        assert begun.wait(60)
        monkeypatch.setattr(backfill, "wait", wait)
        raise KeyboardInterrupt

    starter.world.functions.functions["sales-starter:live"] = start
    monkeypatch.setattr(backfill, "wait", interrupted)
    status, text = said("backfill", "sales", *DATES)
    assert status == 1
    answer, told = text.split("\n", 1)
    first, *others = json.loads(answer)["runs"]
    assert first["status"] == "running"
    assert [run["status"] for run in others] == [None, None]
    assert told.endswith(f"to stop them:\n  stepweave cancel {first['run_id']} --env dev\n")
    assert len(starter.world.functions.asked) == 1

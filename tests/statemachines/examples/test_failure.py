"""Examples of what happens when something goes wrong, and of what guards against it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from stepweave.runtime.context import Context
from tests.statemachines.examples.example_runs import Ended, makespan, run_example, store


def registry(partition: str) -> object:
    """What others see in the registry."""
    return Context(dag_id="", run_id="", task_id="", store=store()).latest("registry", partition)


def told(run: Ended) -> str:
    """What somebody was told about the run."""
    return store().get(f"checkpoints/persistent/{run.id}/told").decode()


# e17: setup and teardown.


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which holds nothing."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_data_base_is_dropped_when_all_went_well(temporary: Path) -> None:
    run = run_example("e17")
    assert run.status == "success"
    assert run.value("warm") == ["Lima", "Nairobi"]
    assert run.value("drop") is True
    assert list(temporary.glob("*.db")) == []


def test_the_data_base_is_dropped_after_a_failure_which_still_fails_the_run(temporary: Path) -> None:
    run = run_example("e17", spoiled=True)
    assert run.status == "failed"
    assert run.statuses == {
        "create": "success",
        "warm": "upstream_failed",
        "load": "failed",
        "drop": "success",
    }
    assert list(temporary.glob("*.db")) == []


# e18: retries.


def test_each_trouble_is_cured_by_its_own_kind_of_retry() -> None:
    run = run_example("e18")
    assert run.status == "success"
    assert {task: each["attempts"] for task, each in run.tasks.items()} == dict.fromkeys(run.tasks, 2)
    assert run.value("read") == 119


def test_an_error_that_no_attempt_cures_is_not_tried_again() -> None:
    run = run_example("e18", gone=True)
    assert run.status == "failed"
    assert run.tasks["search"]["attempts"] == 1
    assert "410 Gone" in run.tasks["search"]["error"]["message"]


# e19: fallbacks.


def test_the_large_model_is_used_when_it_can_be() -> None:
    run = run_example("e19")
    assert "level" not in run.tasks["classify"]
    assert run.value("serve") == "399 rows by distances; cluster 2 is the largest"


def test_too_many_rows_climb_down_to_the_small_model_and_say_so() -> None:
    run = run_example("e19", rows=5000)
    assert run.status == "success"
    assert run.tasks["classify"]["level"] == "small_model"
    assert run.tasks["classify"]["attempts"] == 3
    assert run.statuses["explain"] == "skipped"
    assert run.value("serve") == "5000 rows by thresholds; without explanation"


def test_when_no_model_answers_the_last_good_result_is_served() -> None:
    before = run_example("e19")
    run = run_example("e19", down=True)
    assert run.status == "success"
    assert run.tasks["classify"]["level"] == "last_good"
    assert run.value("classify") == before.value("classify")


def test_without_any_good_result_the_run_fails_and_says_what_is_missing() -> None:
    run = run_example("e19", down=True)
    assert run.status == "failed"
    assert "no earlier success" in run.tasks["classify"]["error"]["message"]


# e20: compensation.


def test_a_healthy_model_is_registered_and_gets_the_traffic() -> None:
    run = run_example("e20")
    assert run.status == "success"
    assert registry("models") == ["exp-6"]
    assert registry("traffic") == {"model": "exp-6", "because": "deployed"}


def test_after_a_failed_smoke_test_the_registry_is_as_before() -> None:
    run_example("e20", degree=4)
    run = run_example("e20", healthy=False)
    assert run.status == "failed"
    assert [task for task, each in run.tasks.items() if each.get("undone")] == ["register", "shift_traffic"]
    assert registry("models") == ["exp-4"]
    assert registry("traffic") == {"model": "exp-4", "because": "undone"}


def test_a_resumed_run_does_again_what_was_undone() -> None:
    failed = run_example("e20", healthy=False)
    run = run_example("e20", resume=failed.id, healthy=True)
    assert run.status == "success"
    assert registry("models") == ["exp-6"]


# e21: replicas and hedging.


def test_two_of_three_copies_outvote_the_wrong_one() -> None:
    sound, one_wrong = (run_example("e21", wrong=wrong, patience=0.0) for wrong in (0, 1))
    assert sound.status == one_wrong.status == "success"
    assert one_wrong.value("count") == sound.value("count") == 15701
    assert sound.value("estimate") == 3.14


def test_copies_of_which_no_two_agree_fail_the_task() -> None:
    run = run_example("e21", wrong=2, patience=0.0)
    assert run.status == "failed"
    assert "1 of 3 replicas of task 'count' agree, expected 2" in run.tasks["count"]["error"]["message"]


def test_a_straggler_is_overtaken_by_its_second_attempt() -> None:
    run = run_example("e21", workers=4, patience=60.0)
    assert run.status == "success"
    assert run.value("simulate") == [15788, 15701, 15644, 15658]


# e22: speculation.


def test_the_likely_branch_runs_beside_its_condition() -> None:
    seconds = {"data": 0, "audit": 10, "likely.train": 4, "likely.card": 5, "publish": 1}
    assert makespan("e22", seconds) == 10 + 1


def test_a_right_guess_is_published_once_the_condition_holds() -> None:
    run = run_example("e22", seconds=0.1)
    assert run.status == "success"
    assert run.value("publish") == "published: y = 2.0 x + 1.0"
    assert run.value("likely.train") == {"slope": 2.0, "intercept": 1.0}
    committed = [
        json.loads((run.prefix(task) / "result.json").read_text())["started_at"]
        for task in ("audit", "publish")
    ]
    assert committed == sorted(committed)


def test_a_wrong_guess_leaves_no_result() -> None:
    run = run_example("e22", errors=3, seconds=0.1)
    assert run.status == "success"
    left = {task for task, status in run.statuses.items() if status == "skipped"}
    assert left == {"likely", "likely.train", "likely.card", "publish"}
    assert run.value("quarantine") == "3 values are put aside"
    assert not (run.prefix("likely.card") / "result.json").exists()


# e23: circuit breakers.


def test_a_service_that_works_is_asked_for_every_rate() -> None:
    run = run_example("e23")
    assert run.value("calls") == 6
    assert run.value("table")["USD"] == 1.08


def test_a_service_that_is_down_is_asked_three_times_and_then_left_alone() -> None:
    run = run_example("e23", down=True)
    assert run.status == "success"
    assert run.value("calls") == 3
    assert run.value("table")["USD"] == 1.069
    assert [item["level"] for item in run.items("ask")] == ["yesterdays_rate"] * 6


def test_the_breaker_stays_open_for_the_next_run() -> None:
    run_example("e23", down=True)
    assert run_example("e23", down=True).value("calls") == 0


# e26: limits of failure.


def test_with_fail_fast_the_first_failure_ends_the_run() -> None:
    assert run_example("e26", "strict").value("total") == 2000
    run = run_example("e26", "strict", broken=2)
    assert run.status == "failed"
    assert run.error == "DataError: column 'age': 12 of 1000 values are missing"


def test_a_run_bears_as_many_failures_as_it_allows() -> None:
    run = run_example("e26", "patient", broken=2)
    assert run.status == "success"
    assert list(run.statuses.values()) == ["failed"] * 2 + ["success"] * 4


def test_with_one_failure_more_no_further_task_is_begun() -> None:
    run = run_example("e26", "patient", broken=3)
    assert run.status == "failed"
    assert run.error == "DagRunFailed: stopped: more than 2 tasks failed"
    begun = [task for task in run.tasks if (run.prefix(task) / "result.json").exists()]
    assert begun == []
    assert "3 tasks have failed; the DAG allows 2" in run.tasks["check_3"]["error"]["message"]


def test_a_run_that_tries_again_repeats_only_what_failed() -> None:
    run = run_example("e26", "persistent")
    assert run.status == "success"
    assert run.value("total") == 2000
    assert told(run) == "success: "


def test_a_run_that_fails_again_tells_somebody() -> None:
    run = run_example("e26", "persistent", cured=False)
    assert run.status == "failed"
    assert told(run) == "failed: check_again"

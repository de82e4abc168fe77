"""Examples of the shapes that a run may take: rules, conditions, branches, maps, loops, work found in the run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.statemachines.examples.example_runs import makespan, run_example

# e05: trigger rules.


def test_with_all_stations_reporting_nobody_is_paged() -> None:
    run = run_example("e05")
    assert run.status == "success"
    assert (run.value("first_value"), run.value("mean"), run.value("publish")) == (14.0, 6.49, 3)
    assert run.statuses["page_somebody"] == "skipped"


def test_a_closed_station_is_left_out() -> None:
    run = run_example("e05", closed="summit")
    assert run.status == "success"
    assert run.statuses["read_summit"] == "skipped"
    assert (run.value("mean"), run.value("publish")) == (11.32, 2)


def test_a_broken_station_fails_the_run_and_each_rule_makes_its_own_of_it() -> None:
    run = run_example("e05", broken="valley")
    assert run.status == "failed"
    assert run.statuses == {
        "read_valley": "failed",
        "read_forest": "success",
        "read_summit": "success",
        "first_value": "success",
        "mean": "success",
        "publish": "upstream_failed",
        "page_somebody": "success",
    }
    assert run.value("first_value") in (11.0, -2.0)


def test_the_first_report_is_passed_on_while_the_last_one_is_still_awaited() -> None:
    seconds = {"read_valley": 1, "read_forest": 2, "read_summit": 10, "first_value": 9}
    assert makespan("e05", seconds) == 10 + 1  # the summit, then its mean


# e06: conditions.


@pytest.mark.parametrize(
    "params, chosen, words",
    [
        ({}, "deploy", "production"),
        ({"threshold": 0.999}, "shadow", "shadow"),
        ({"features": 2}, "alert", "nothing was deployed"),
    ],
    ids=["good", "fair", "bad"],
)
def test_the_gate_lets_one_task_run_and_its_end_is_recorded(
    params: dict[str, Any], chosen: str, words: str
) -> None:
    run = run_example("e06", **params)
    assert run.status == "success"
    ran = {task for task in ("deploy", "shadow", "alert") if run.statuses[task] == "success"}
    assert ran == {chosen}
    assert words in run.value("record")


# e07: branches.


@pytest.mark.parametrize(
    "shift, chosen", [(0.0, "keep"), (0.4, "refresh_scaling"), (2.0, "retrain")], ids=["none", "some", "much"]
)
def test_drift_decides_which_branch_runs(shift: float, chosen: str) -> None:
    run = run_example("e07", shift=shift)
    assert run.status == "success"
    ways = {task: run.statuses[task] for task in ("keep", "refresh_scaling", "retrain")}
    assert ways == {task: "success" if task == chosen else "skipped" for task in ways}
    assert run.value("report") == run.value(chosen)


def test_without_new_rows_the_short_circuit_skips_all_the_rest() -> None:
    run = run_example("e07", rows=0)
    assert run.status == "success"
    assert {task for task, status in run.statuses.items() if status == "success"} == {"anything_new"}


# e08: mapping.


def test_all_combinations_are_fitted_and_the_last_list_changes_fastest() -> None:
    run = run_example("e08")
    assert run.status == "success"
    assert [(fit["degree"], fit["ridge"]) for fit in run.value("fit")][:3] == [(1, 0.0), (1, 0.1), (3, 0.0)]
    assert [(fit["degree"], fit["ridge"]) for fit in run.value("fit_zip")] == [(3, 0.0), (7, 10.0)]
    assert [(fit["degree"], fit["ridge"]) for fit in run.value("fit_kwargs")] == [(2, 0.0), (9, 0.5)]
    assert run.value("best")["degree"] == 7


def test_lost_days_are_tolerated_and_the_fits_are_made_of_the_others() -> None:
    sound, lossy = run_example("e08"), run_example("e08", broken=2)
    assert lossy.status == "success"
    assert lossy.statuses["measure"] == "success"
    assert [item["status"] for item in lossy.items("measure")] == ["failed"] * 2 + ["success"] * 8
    assert lossy.value("best")["error"] != sound.value("best")["error"]


def test_more_lost_days_than_tolerated_fail_the_map() -> None:
    run = run_example("e08", broken=3)
    assert run.status == "failed"
    assert run.statuses["measure"] == "failed"
    lost = run.items("measure")[2]
    assert (lost["label"], lost["error"]) == ("2", {"type": "DataError", "message": "day 2 was lost"})
    assert run.statuses["fit"] == "upstream_failed"


# e09: mapped groups.


def test_each_species_has_its_own_condition() -> None:
    run = run_example("e09")
    assert run.status == "success"
    assert [item["status"] for item in run.items("per_species.warn")] == ["skipped", "success", "success"]
    assert [bool(item["warning"]) for item in run.value("per_species")] == [False, True, True]
    assert run.value("report") == [
        "versicolor: sepal length goes from 4.9 to 7.0",
        "virginica: sepal length goes from 4.9 to 7.9",
    ]


def test_a_map_inside_of_a_map_runs_its_items_per_species() -> None:
    run = run_example("e09", limit=0.0)
    inner = [item["index"] for item in run.items("per_species.describe") if "/" in item["index"]]
    assert inner == [f"{species}/{feature}" for species in range(3) for feature in range(3)]
    assert len(run.value("report")) == 3


# e14: loops.


@pytest.mark.parametrize("candidates, rounds", [(8, 3), (5, 2), (1, 1)])
def test_each_round_halves_the_candidates(candidates: int, rounds: int) -> None:
    run = run_example("e14", candidates=candidates)
    assert run.status == "success"
    assert len(run.items("loop")) == rounds
    assert run.value("loop")["count"] == 1


def test_the_candidate_that_is_left_learns_well() -> None:
    winner = run_example("e14").value("winner")
    assert winner["loss"] < 0.02
    assert 0.1 < winner["rate"] < 1


# e28: work that is found in the run.


def test_the_tasks_follow_from_the_columns_of_the_table() -> None:
    run = run_example("e28")
    assert run.status == "success"
    assert len(run.items("dispatched")) == 7
    assert run.value("profile")["city"] == {"most": ["Oslo"], "missing": 1}
    assert run.value("profile")["active"] == {"mean": 0.8, "std": 0.4}


def test_another_wish_gives_other_tasks_in_the_same_state_machine() -> None:
    run = run_example("e28", wanted="active")
    assert [item["value"]["column"] for item in run.items("dispatched")] == ["active"]


def test_no_work_at_all_skips_the_map_and_what_needs_it() -> None:
    run = run_example("e28", wanted="shoe size")
    assert run.status == "success"
    assert (run.statuses["dispatched"], run.statuses["profile"]) == ("skipped", "skipped")

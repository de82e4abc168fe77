"""Examples of everyday data science: sweeps, cross-validation, ensembles, A/B tests."""

from __future__ import annotations

import pytest

from stepweave.errors import ParamsError
from tests.statemachines.examples.example_runs import example, run_example

# e10: sweeps.


def test_the_best_trial_of_each_search_is_found() -> None:
    run = run_example("e10")
    assert run.status == "success"
    for trials, best in (("by_grid", "best_of"), ("by_chance", "best_by_chance")):
        accuracies = [trial["accuracy"] for trial in run.value(trials)]
        assert len(accuracies) == 6
        assert run.value(best)["accuracy"] == max(accuracies) > 0.9
    assert run.value("compare") == "grid"


def test_the_grid_has_all_combinations_and_the_random_search_its_samples_in_the_graph() -> None:
    graph = example("e10").graph()
    expansions = [graph[task].expansion for task in ("by_grid", "by_chance")]
    assert [found.how for found in expansions if found is not None] == ["kwargs", "kwargs"]
    assert example("e10").graph() == graph


# e11: cross-validation.


@pytest.mark.parametrize("k", [2, 5])
def test_there_is_one_fit_per_fold(k: int) -> None:
    run = run_example("e11", k=k)
    assert run.status == "success"
    assert len(run.items("fit")) == k
    assert run.value("summary")["r2"] == pytest.approx(0.5, abs=0.05)


def test_fewer_than_two_folds_are_refused_before_the_run() -> None:
    with pytest.raises(ParamsError, match="k"):
        example("e11").validate_params({"k": 1})


# e12: ensembles.


def test_all_trees_together_are_better_than_the_best_of_them() -> None:
    run = run_example("e12")
    assert run.status == "success"
    grown = run.value("grow")
    best, every = run.value("test_best"), run.value("test_ensemble")
    assert best["seeds"] == [max(grown, key=lambda tree: tree["accuracy"])["seed"]]
    assert every["seeds"] == list(range(7))
    assert every["accuracy"] > best["accuracy"] + 0.05


def test_with_one_tree_both_are_the_same() -> None:
    run = run_example("e12", trees=1)
    assert run.value("test_best") == run.value("test_ensemble")


# e13: A/B tests.


def test_a_better_page_is_rolled_out() -> None:
    run = run_example("e13")
    assert run.status == "success"
    assert run.value("compare")["p_value"] < 0.01
    assert run.value("roll_out") == "everybody gets B: +2.1%"
    assert run.statuses["keep"] == "skipped"


@pytest.mark.parametrize("lift", [0.0, -0.02], ids=["no better", "worse"])
def test_a_page_that_is_not_better_is_not_rolled_out(lift: float) -> None:
    run = run_example("e13", lift=lift)
    assert run.status == "success"
    assert (run.statuses["roll_out"], run.statuses["keep"]) == ("skipped", "success")

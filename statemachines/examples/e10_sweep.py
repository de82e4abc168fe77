"""Sweeps: hyper-parameters by grid and by random search.

``grid`` and ``random_search`` make the lists of arguments while the DAG is traced; the same seed draws the same
samples, so the state machine that is reviewed is the one that runs. ``expand_kwargs`` maps over them.

Run it: ``stepweave run statemachines/examples/e10_sweep.py``.
"""

from __future__ import annotations

from typing import TypedDict

from stepweave import dag, task
from stepweave.recipes.folds import best_of
from stepweave.recipes.sweeps import LogUniform, grid, random_search


class Trial(TypedDict):
    """A setting of the support vector machine, and its accuracy on the validation part."""

    c: float
    gamma: float
    accuracy: float


@task(max_concurrency=4, requirements=["scikit-learn>=1.6"])
def trial(c: float, gamma: float) -> Trial:
    """Returns how well wines are told apart with these settings."""
    from sklearn.datasets import load_wine
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    rows, labels = load_wine(return_X_y=True)
    parts = train_test_split(StandardScaler().fit_transform(rows), labels, test_size=0.4, random_state=3)
    model = SVC(C=c, gamma=gamma).fit(parts[0], parts[2])
    return {"c": c, "gamma": gamma, "accuracy": round(float(model.score(parts[1], parts[3])), 4)}


@task
def compare(by_grid: Trial, by_chance: Trial) -> str:
    """Returns which search found the better setting."""
    return "random" if by_chance["accuracy"] > by_grid["accuracy"] else "grid"


@dag
def sweep() -> None:
    """Searches the settings of a classifier by grid and by chance, with six trials each."""
    by_grid = trial.override(task_id="by_grid").expand_kwargs(grid(c=[0.1, 1.0, 10.0], gamma=[0.01, 1.0]))
    samples = random_search(6, seed=5, c=LogUniform(0.01, 100.0), gamma=LogUniform(0.001, 1.0))
    by_chance = trial.override(task_id="by_chance").expand_kwargs(samples)
    compare(best_of(by_grid, "accuracy"), best_of.override(task_id="best_by_chance")(by_chance, "accuracy"))

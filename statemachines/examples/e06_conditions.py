"""Conditions: a deployment gate, and an alert when the metric is bad.

``If``/``Elif``/``Else`` over references become one ``Choice`` state that the state machine evaluates itself: no
function is called, one transition. Tasks of the blocks that are not chosen end as ``skipped``. ``record`` comes
after all three blocks; its rule ``none_failed_min_one_success`` lets it run although two of the tasks before it
were skipped.

Run it: ``stepweave run statemachines/examples/e06_conditions.py --param threshold=0.999`` (only
shadows; ``features=2`` alerts).
"""

from __future__ import annotations

from typing import TypedDict

from stepweave import Elif, Else, If, Param, dag, task


class Score(TypedDict):
    """How well the classifier tells malignant from benign."""

    auc: float
    rows: int


@task(requirements=["scikit-learn>=1.6"])
def evaluate(features: int) -> Score:
    """Returns the cross-validated area under the curve of a classifier that sees the first ``features`` columns."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, labels = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    aucs = cross_val_score(model, rows[:, :features], labels, cv=3, scoring="roc_auc")
    return {"auc": round(float(aucs.mean()), 4), "rows": len(rows)}


@task
def deploy(score: Score) -> str:
    """Returns where the model serves now."""
    return f"production, auc {score['auc']}"


@task
def shadow(score: Score) -> str:
    """Returns where the model only listens."""
    return f"shadow, auc {score['auc']}"


@task
def alert(score: Score, threshold: float) -> str:
    """Returns the message to the team."""
    return f"auc {score['auc']} is far below {threshold}: nothing was deployed"


@task(trigger_rule="none_failed_min_one_success")
def record(ends: list[str | None]) -> str:
    """Returns the line for the log: what the one task that ran returned."""
    return next(end for end in ends if end is not None)


@dag
def conditions(features: int = 30, threshold: float = Param(0.98, ge=0, le=1)) -> None:
    """Deploys a good model, shadows a fair one, and alerts about a bad one."""
    score = evaluate(features)
    with If(score["auc"] >= threshold):
        served = deploy(score)
    with Elif(score["auc"] >= threshold - 0.01):
        listens = shadow(score)
    with Else():
        told = alert(score, threshold)
    record([served, listens, told])

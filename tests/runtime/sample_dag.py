"""A DAG as users write it, with a task that only tracing finds."""

from __future__ import annotations

from stepweave import dag, task


@task
def load(rate: float) -> dict[str, float]:
    return {"rate": rate}


def scaling(factor: float):
    @task(task_id="scale")
    def scale(row: dict[str, float], offset: float) -> float:
        return row["rate"] * factor + offset

    return scale


@dag
def sample(rate: float = 2.0):
    scaling(3.0)(load(rate), 1.0)

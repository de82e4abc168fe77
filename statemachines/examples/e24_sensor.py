"""Sensors: a task that waits for something outside, without holding compute.

A sensor is called, answers whether what it waits for is there, and is called again after ``poke_interval`` (times
``backoff`` each time, up to ``max_interval``). Between two calls nothing runs and nothing is paid: the wait is the
state machine's. ``PokeReturn`` hands on a value. When ``timeout`` is over the sensor fails, or with ``soft_fail``
is skipped, and what needs it is skipped too.

The ready-made ``wait_for_dag`` waits in this way for the run of another DAG for the same logical date:
``daily_report`` goes on when ``sensor`` has succeeded for the day, and fails at once if it has failed.

Run it: ``stepweave run statemachines/examples/e24_sensor.py:sensor --logical-date 2026-01-31``, then the same with
``:daily_report``. With ``--param after=99`` the measurements do not come in time.
"""

from __future__ import annotations

import time

from stepweave import PokeReturn, dag, get_current_context, task
from stepweave.errors import DataError
from stepweave.recipes.waiting import wait_for_dag

DAY = "2026-01-31"


@task
def deliver(after: float) -> None:
    """Puts the day's measurements where others find them, some time later; stands for somebody else's system."""
    if after < 10:
        time.sleep(after)
        get_current_context().publish("measurements", DAY, [20.5, 21.0, 19.5])


@task.sensor(poke_interval="1s", backoff=1.5, max_interval="5s", timeout="3s", soft_fail=True)
def arrived(day: str) -> PokeReturn:
    """Returns the measurements of the day, once they are there."""
    try:
        return PokeReturn(True, get_current_context().latest("measurements", day))
    except DataError:
        return PokeReturn(False)


@task
def mean(measurements: list[float]) -> float:
    """Returns the mean of the day."""
    return round(sum(measurements) / len(measurements), 2)


@dag
def sensor(after: float = 1.5) -> None:
    """Waits for measurements, and averages them."""
    deliver(after)
    mean(arrived(DAY))


@task
def write(ended: dict[str, str]) -> str:
    """Returns the line of the report."""
    return f"run {ended['run_id']} of that day: {ended['status']}"


@dag
def daily_report() -> None:
    """Reports on the day, once the other DAG is done with it."""
    write(wait_for_dag.override(poke_interval="1s", timeout="3s")("sensor"))

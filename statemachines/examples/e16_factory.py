"""A factory: one DAG per market, each with its own schedule, params and tasks.

A DAG is what ``@dag`` makes of a function, so a function that contains one is a factory. All DAGs that are made
while the module is imported are found by their ids; each compiles to a state machine of its own, so that a market
can fail, be paused or be rolled back without the others. Settings that differ (here: whether there are holidays)
may change the graph.

Run it: ``stepweave run statemachines/examples/e16_factory.py:forecast_jp --param horizon=14``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stepweave import Cron, Param, dag, task
from stepweave.authoring.dags import Dag


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What differs from market to market."""

    timezone: str
    level: float
    holidays: tuple[int, ...] = ()
    """Days without sales, from the start of the data."""


MARKETS = {
    "de": Market(timezone="Europe/Berlin", level=100.0, holidays=(2, 10)),
    "fr": Market(timezone="Europe/Paris", level=80.0, holidays=(5,)),
    "jp": Market(timezone="Asia/Tokyo", level=120.0),
}


@task
def sales(level: float) -> list[float]:
    """Returns four weeks of sales, better at weekends."""
    days = np.arange(28)
    noise = np.random.default_rng(int(level)).normal(0, 2, days.size)
    return [float(value) for value in level * (1 + 0.3 * (days % 7 >= 5)) + noise]


@task
def without(series: list[float], days: list[int]) -> list[float]:
    """Returns the series with holidays replaced by the same day of the next week."""
    return [series[day + 7] if day in days else value for day, value in enumerate(series)]


@task
def forecast(series: list[float], horizon: int) -> list[float]:
    """Returns a forecast: the mean of the same days of the week so far."""
    week = np.reshape(series, (-1, 7)).mean(axis=0).round(1)
    return [float(week[day % 7]) for day in range(horizon)]


def forecast_of(name: str, market: Market) -> Dag:
    """The DAG of one market."""

    @dag(
        dag_id=f"forecast_{name}",
        schedule=Cron("0 6 * * *", timezone=market.timezone),
        tags=[name],
        requirements=["numpy>=2"],
    )
    def forecast_market(horizon: int = Param(7, ge=1, le=60)) -> None:
        """Forecasts the sales of one market."""
        series = sales(market.level)
        if market.holidays:
            series = without(series, list(market.holidays))
        forecast(series, horizon)

    return forecast_market


FORECASTS = [forecast_of(name, market) for name, market in MARKETS.items()]

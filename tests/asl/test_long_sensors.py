"""Sensors that poke for longer than the history of one execution has room for."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.compiler import compile_graph
from stepweave.graph.constructs import Sensor
from tests.asl.scripted import SUCCESS, Ran, dag, error, run_scripted, task

WEEK = Sensor()
"""Every minute for seven days: 10,080 pokes."""


def after(pokes: int, answer: Any = SUCCESS) -> Any:
    """A sensor that is told ``answer`` after so many pokes."""
    seen = 0

    def poke(event: dict[str, Any]) -> Any:
        nonlocal seen
        seen += 1
        return error("NotYet") if seen <= pokes else answer

    return poke


def watch(poke: Any, sensor: Sensor = WEEK, **options: Any) -> Ran:
    return run_scripted(
        dag(task("x", sensor=sensor, **options), task("b", "x", trigger_rule="all_done")), {"x": poke}
    )


def test_the_sensor_that_authoring_makes_by_itself_holds_the_limits() -> None:
    report = compile_graph(dag(task("x", sensor=WEEK))).report
    assert report.history_events < 25_000
    assert compile_graph(dag(*(task(f"x{n}", sensor=WEEK) for n in range(20)))).report.history_events < 25_000


def test_a_long_sensor_costs_two_transitions_more_than_a_short_one() -> None:
    short = watch(after(3), Sensor(interval_seconds=60, timeout_seconds=3_600))
    long = watch(after(3))
    assert long.seconds == short.seconds == pytest.approx(180)
    assert long.transitions == short.transitions + 2
    assert compile_graph(dag(task("x", sensor=WEEK), task("b", "x"))).report.transitions == 1 + 3 + 1


def test_its_record_is_that_of_the_poke_that_found_it() -> None:
    there = {"status": "success", "value": "[7]"}
    ran = run_scripted(dag(task("x", sensor=WEEK), task("b", "x")), {"x": after(1, there)})
    assert ran.of("b")[0]["records"] == {"x": there}


def test_pokes_go_on_in_a_further_execution_and_the_time_counts_from_the_first() -> None:
    ran = watch(after(6_002))
    assert ran.states == [
        "start run",
        *["x", "x: poke"],
        "x: again",
        "x: poked?",
        "x",
        "x: poke",
        "x: poked?",
        "b",
    ]
    assert len(ran.of("x")) == 6_003
    assert len({event["sensor"]["entered"] for event in ran.of("x")}) == 1
    # The first poke of the second execution follows the last of the first at once.
    assert ran.seconds == pytest.approx(60 * 6_001)
    assert ran.outcome == ("SUCCEEDED", None)


@pytest.mark.parametrize(
    "ending, optional, told",
    [
        ("SensorTimeout", False, "failed"),
        ("DataError", False, "failed"),
        ("Skip", False, "skipped"),
        ("SensorTimeout", True, "skipped"),
    ],
)
def test_its_end_is_that_of_the_task(ending: str, optional: bool, told: str) -> None:
    graph = dag(
        task("x", sensor=WEEK, optional=optional),
        task("failed", "x", trigger_rule="one_failed"),
        task("skipped", "x", trigger_rule="all_skipped"),
    )
    ran = run_scripted(graph, {"x": after(2, error(ending))})
    assert [event["task"] for event in ran.events[3:]] == [told]


def test_without_catchers_its_error_ends_the_run() -> None:
    ran = run_scripted(dag(task("x", sensor=WEEK), fail_fast=True), {"x": after(1, error("DataError"))})
    assert (ran.execution.status, ran.execution.error) == ("FAILED", "DataError")

"""wait_for_dag: what other runs leave behind decides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepweave import dag
from stepweave.errors import DataError, Fail
from stepweave.recipes.waiting import wait_for_dag
from stepweave.runtime.context import Context, swap_context
from stepweave.runtime.pokes import PokeReturn
from stepweave.stores.layout import status_key
from stepweave.stores.objects import ObjectStore, open_store

DATE = "2026-05-01T00:00:00+00:00"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    """The store of a run for ``DATE`` in which the sensor is called."""
    opened = open_store(tmp_path)
    before = swap_context(
        Context(dag_id="late", run_id="r", task_id="wait", logical_date_text=DATE, store=opened)
    )
    yield opened
    swap_context(before)


def ended(store: ObjectStore, moment: str, status: str) -> dict[str, str]:
    marker = {"run_id": "early-1", "status": status}
    store.put(status_key("early", moment), json.dumps(marker).encode())
    return marker


def test_it_waits_until_there_is_a_run_for_the_same_logical_date(store: ObjectStore) -> None:
    assert wait_for_dag("early") is False

    marker = ended(store, DATE, "success")

    assert wait_for_dag("early") == PokeReturn(True, marker)


def test_a_failed_run_fails_it_at_once(store: ObjectStore) -> None:
    ended(store, DATE, "failed")

    with pytest.raises(Fail, match="run early-1"):
        wait_for_dag("early")


def test_the_statuses_that_count_can_be_given(store: ObjectStore) -> None:
    marker = ended(store, DATE, "failed")

    assert wait_for_dag("early", allowed=["failed"], failed=[]) == PokeReturn(True, marker)
    assert wait_for_dag("early", failed=[]) == PokeReturn(False, marker)


def test_another_moment_can_be_given(store: ObjectStore) -> None:
    marker = ended(store, "manual-7", "success")

    assert wait_for_dag("early", logical_date="manual-7") == PokeReturn(True, marker)


def test_a_run_without_a_logical_date_must_say_what_it_waits_for(tmp_path: Path) -> None:
    before = swap_context(Context(dag_id="late", run_id="r", task_id="wait", store=open_store(tmp_path)))
    try:
        with pytest.raises(DataError, match="give logical_date="):
            wait_for_dag("early")
    finally:
        swap_context(before)


def test_in_a_dag_it_is_a_sensor() -> None:
    @dag
    def late():
        wait_for_dag.override(timeout="2h")("early")

    sensor = late.graph()["wait_for_dag"].sensor

    assert sensor is not None
    assert (sensor.interval_seconds, sensor.timeout_seconds) == (60, 7200)

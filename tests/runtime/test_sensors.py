import json
from datetime import UTC, datetime, timedelta

import pytest

from stepweave.errors import Skip
from stepweave.runtime.invoke import invoke
from stepweave.runtime.sensors import NotYet, SensorTimeout
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event

MODULE = control_tasks.__name__


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def poke(store, answer=None, function="poke", ago=0, **parts):
    entered = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat().replace("+00:00", "Z")
    args = {"answer": {"v": answer}} if function == "poke" else {}
    sensor = {"entered": entered, "timeout": 3600, **parts.pop("sensor", {})}
    return invoke(event("s", args=args, sensor=sensor, call=f"{MODULE}:{function}", **parts), store)


@pytest.mark.parametrize("answer", [True, {"rows": 1}, "text"])
def test_a_true_answer_is_the_value(store, answer):
    assert json.loads(poke(store, answer)["value"]) == answer


def test_a_poke_return_gives_a_value_of_its_own(store):
    assert json.loads(poke(store, function="poke_for_value")["value"]) == {"rows": 3}
    with pytest.raises(NotYet):
        poke(store, function="poke_in_vain", attempt=0, run={"id": "r2"})


@pytest.mark.parametrize("answer", [False, None, 0, []])
def test_a_false_answer_is_not_yet_and_leaves_nothing_behind(store, answer):
    with pytest.raises(NotYet) as raised:
        poke(store, answer, ago=10)
    assert type(raised.value).__name__ == json.loads(str(raised.value))["type"] == "NotYet"
    assert list(store.list("")) == []


def test_after_the_time_out_the_sensor_fails_by_a_name_of_its_own(store):
    with pytest.raises(SensorTimeout, match="the time-out is 3600 s"):
        poke(store, False, ago=3601)
    with pytest.raises(Skip):
        poke(store, False, ago=3601, sensor={"soft": True})
    assert poke(store, True, ago=3601)["status"] == "success"


def test_a_sensor_that_has_seen_it_is_not_poked_again(store):
    poke(store, True)
    poke(store, False, attempt=7)
    assert control_tasks.calls == ["poke"]

import json
import threading

import pytest

from stepweave.errors import DataError, TransientError
from stepweave.runtime.deadline import ending_before
from stepweave.runtime.heartbeat import Heartbeat, beat
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event

MODULE = control_tasks.__name__


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def test_a_task_that_shows_signs_of_life_may_take_longer_than_one_of_them(store):
    args = {"times": {"v": 6}, "seconds": {"v": 0.1}}
    asked = event("a", args=args, heartbeat=0.4, call=f"{MODULE}:beats")
    assert invoke(asked, store)["value"] == '"alive"'


def test_a_silent_task_is_given_up_and_what_it_returns_is_never_committed(store):
    asked = event("a", args={"seconds": {"v": 30}}, heartbeat=0.1, call=f"{MODULE}:silent")
    with pytest.raises(TransientError) as raised:
        invoke(asked, store)
    said = json.loads(str(raised.value))
    assert said["type"] == "HeartbeatTimeout"
    assert "no heartbeat for 0.1 s; call get_current_context().heartbeat() more often" in said["message"]
    for thread in threading.enumerate():
        if thread.name == "stepweave-task":
            thread.join(10)
    assert control_tasks.calls == []
    assert store.get_or_none("runs/sales/r1/a/result.json") is None
    assert store.get("runs/sales/r1/a/logs/0.log").startswith(b"before the silence\n")


def test_a_task_whose_time_is_over_does_not_go_on_behind_the_next_one(store):
    asked = event("a", args={"seconds": {"v": 30}}, heartbeat=60, call=f"{MODULE}:silent")
    with pytest.raises(TransientError, match="OutOfTime"), ending_before(0.2):
        invoke(asked, store)
    for thread in threading.enumerate():
        if thread.name == "stepweave-task":
            thread.join(10)
            assert not thread.is_alive()
    assert control_tasks.calls == []


def test_what_a_task_raises_under_a_heartbeat_is_what_it_raises(store):
    asked = event("a", args={"kind": {"v": "row"}}, heartbeat=5, call=f"{MODULE}:raises")
    with pytest.raises(DataError, match="no such row"):
        invoke(asked, store)


def test_a_beat_outside_of_a_task_with_a_heartbeat_does_nothing(store):
    beat()
    asked = event("a", args={"times": {"v": 1}, "seconds": {"v": 0}}, call=f"{MODULE}:beats")
    assert invoke(asked, store)["status"] == "success"


def test_the_silence_is_measured_from_the_last_sign_of_life():
    now = [0.0]
    heartbeat = Heartbeat(10, lambda: now[0])
    now[0] = 8
    assert heartbeat.left() == 2
    heartbeat.beat()
    assert heartbeat.left() == 10
    now[0] = 20
    assert heartbeat.left() < 0

import json
import threading

import pytest

from stepweave.errors import DataError, TransientError
from stepweave.runtime.breaker import CircuitOpen, guarded
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event

INFO = {"name": "crm", "failures": 3, "reset": 60}


class Dependency:
    """Something that works or not, and a clock."""

    def __init__(self, store):
        self.store, self.works, self.now, self.calls, self.error = (
            store,
            True,
            1000.0,
            0,
            TransientError("down"),
        )

    def use(self):
        return guarded(INFO, self.store, self._run, lambda: self.now)

    def _run(self):
        self.calls += 1
        if not self.works:
            raise self.error
        return "ok"

    def fail(self, times):
        self.works = False
        for _ in range(times):
            with pytest.raises(TransientError, match="down"):
                self.use()


@pytest.fixture
def dependency(tmp_path):
    return Dependency(open_store(tmp_path))


def test_a_closed_breaker_lets_everything_pass_and_writes_nothing(dependency):
    assert dependency.use() == "ok"
    assert list(dependency.store.list("")) == []


def test_after_failures_in_a_row_it_refuses_without_a_call(dependency):
    dependency.fail(3)
    with pytest.raises(
        CircuitOpen, match="'crm' is open after 3 failures in a row; the next probe is in 60 s"
    ):
        dependency.use()
    assert dependency.calls == 3


def test_a_success_between_failures_starts_the_count_again(dependency):
    dependency.fail(2)
    dependency.works = True
    dependency.use()
    dependency.fail(2)
    dependency.works = True
    assert dependency.use() == "ok"


def test_after_the_pause_one_attempt_probes_and_others_wait(dependency):
    dependency.fail(3)
    dependency.now += 61
    inside, go_on = threading.Event(), threading.Event()

    def slow():
        inside.set()
        go_on.wait(10)
        return "ok"

    probe = threading.Thread(target=lambda: guarded(INFO, dependency.store, slow, lambda: dependency.now))
    probe.start()
    assert inside.wait(10)
    with pytest.raises(CircuitOpen):
        dependency.use()
    go_on.set()
    probe.join()
    dependency.works = True
    assert dependency.use() == "ok"


def test_a_probe_that_fails_opens_it_again(dependency):
    dependency.fail(3)
    dependency.now += 61
    dependency.fail(1)
    with pytest.raises(CircuitOpen, match="after 4 failures"):
        dependency.use()


def test_a_probe_that_died_frees_its_place(dependency):
    dependency.fail(3)
    dependency.now += 61

    def dies():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guarded(INFO, dependency.store, dies, lambda: dependency.now)
    with pytest.raises(CircuitOpen):
        dependency.use()
    dependency.now += 61
    dependency.works = True
    assert dependency.use() == "ok"


def test_wrong_data_says_nothing_of_the_dependency(dependency):
    dependency.works, dependency.error = False, DataError("bad row")
    for _ in range(5):
        with pytest.raises(DataError):
            dependency.use()
    assert dependency.calls == 5


def test_tasks_of_different_dags_share_a_breaker(tmp_path):
    store = open_store(tmp_path)
    parts = {"breaker": {**INFO, "failures": 1}, "call": f"{control_tasks.__name__}:raises"}
    with pytest.raises(TransientError, match="ValueError"):
        invoke(event("a", args={"kind": {"v": "value"}}, **parts), store)
    with pytest.raises(TransientError) as raised:
        invoke(event("b", args={"kind": {"v": "value"}}, run={"dag": "other"}, **parts), store)
    assert json.loads(str(raised.value))["type"] == "CircuitOpen"


def test_no_failure_is_lost_when_many_fail_at_once(dependency):
    info = {**INFO, "failures": 100}

    def fail():
        with pytest.raises(TransientError):
            guarded(info, dependency.store, _raise, lambda: 0.0)

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(dependency.store.get("breakers/crm.json"))["failures"] == 8


def _raise():
    raise TransientError("down")

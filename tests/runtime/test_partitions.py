import json
import threading

import pytest

from stepweave.errors import DataError, PermanentError, UsageError
from stepweave.runtime.context import Context
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event
from tests.runtime.failing_store import killed_at_each_write

MODULE = control_tasks.__name__


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def publish(store, value, run="r1", **parts):
    asked = event("p", args={"value": {"v": value}}, run={"id": run}, call=f"{MODULE}:publishing", **parts)
    invoke(asked, store)


def read(store, run):
    asked = event("q", args={}, run={"id": run}, call=f"{MODULE}:reading", inline=10**6)
    return json.loads(invoke(asked, store)["value"])


def test_what_a_run_publishes_is_what_other_runs_read(store):
    publish(store, {"rows": 1})
    assert read(store, "x1") == {"rows": 1}
    publish(store, "x" * 20_000, run="r2")
    assert read(store, "x2") == "x" * 20_000


def test_a_repeated_call_never_brings_back_what_another_run_has_replaced(store):
    publish(store, 1, run="r1")
    publish(store, 2, run="r2")
    Context(dag_id="sales", run_id="r1", task_id="p", store=store).publish("rows", "2026-11-21", 1)
    assert read(store, "x1") == 2


def test_a_run_that_publishes_something_else_replaces_its_own(store):
    context = Context(dag_id="sales", run_id="r1", task_id="p", store=store)
    context.publish("rows", "2026-11-21", 1)
    context.publish("rows", "2026-11-21", 2)
    assert context.latest("rows", "2026-11-21") == 2


def test_a_run_may_publish_again_what_it_has_taken_back(store):
    context = Context(dag_id="sales", run_id="r1", task_id="p", store=store)
    for value in (1, 0, 1):
        context.publish("rows", "2026-11-21", value)
    assert context.latest("rows", "2026-11-21") == 1


def test_a_reader_sees_the_old_one_or_the_new_one_whenever_the_writer_is_killed(store):
    publish(store, "old" * 10_000, run="r1")
    seen = set()

    def attempt(dying):
        Context(dag_id="sales", run_id="r2", task_id="p", store=dying).publish(
            "rows", "2026-11-21", "new" * 10_000
        )

    def watched(dying):
        seen.add(read(store, f"x{len(seen)}-{dying._left}")[:3])
        attempt(dying)

    assert killed_at_each_write(watched, store) == 3
    assert seen == {"old"}
    assert read(store, "last") == "new" * 10_000


def test_of_many_runs_side_by_side_each_is_published_once(store):
    threads = [
        threading.Thread(
            target=lambda number=number: Context(
                dag_id="sales", run_id=f"r{number}", task_id="p", store=store
            ).publish("rows", "all", number)
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = json.loads(store.get("assets/rows/all/current.json"))["versions"]
    assert sorted(version.split("/")[1] for version in versions) == [f"r{number}" for number in range(8)]


def test_a_partition_that_nobody_published_says_how(store):
    with pytest.raises(DataError, match=r"asset 'rows' has no partition '2026-11-21'.*publish it first"):
        read(store, "r1")


def test_a_value_that_cannot_be_stored_is_named_by_its_partition(store):
    context = Context(dag_id="sales", run_id="r1", task_id="p", store=store)
    with pytest.raises(PermanentError, match="partition 'all' of asset 'rows' cannot be stored"):
        context.publish("rows", "all", threading.Lock())


def test_a_context_without_a_store_says_how_to_give_one():
    with pytest.raises(UsageError, match="this context has no store"):
        Context(dag_id="d", run_id="r", task_id="t").latest("rows", "all")

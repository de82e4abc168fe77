import json

import pytest

from stepweave.errors import PermanentError
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event

MODULE = control_tasks.__name__
RUN = {"params": {"rate": 1}, "execution": "e1"}


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


def tell(store, function="told", run=RUN, **parts):
    notice = {"status": "failed", "by": ["a", "b"]}
    return invoke(
        event("on_failure", args={}, notice=notice, run=run, call=f"{MODULE}:{function}", **parts), store
    )


def test_the_function_is_told_what_it_asks_for(store):
    assert tell(store) == {"status": "success"}
    assert control_tasks.calls == [("r1", "failed", ["a", "b"], {"rate": 1})]


def test_it_is_told_once_in_an_execution(store):
    tell(store)
    tell(store, attempt=1)
    assert len(control_tasks.calls) == 1
    tell(store, run={**RUN, "execution": "e2", "resume": True})
    assert len(control_tasks.calls) == 2


def test_a_function_that_asks_for_something_else_is_an_error(store):
    with pytest.raises(PermanentError) as raised:
        tell(store, "drop_other")
    message = json.loads(str(raised.value))["message"]
    assert message.startswith(
        "on_failure of DAG 'sales' has the parameter 'other'; expected parameters among run_id"
    )

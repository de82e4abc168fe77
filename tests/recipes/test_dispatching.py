"""Tasks that are chosen by what a run finds."""

from __future__ import annotations

import pytest

from stepweave import dag, task
from stepweave.errors import PermanentError, UsageError
from stepweave.recipes.dispatching import dispatch


@task
def double(n: int) -> int:
    return 2 * n


def name(text: str = "nobody") -> str:
    return text


RUN = dispatch({"double": double, "name": name}, retries=2)


def test_a_spec_names_the_task_and_its_arguments() -> None:
    assert RUN({"task": "double", "kwargs": {"n": 4}}) == 8
    assert RUN({"task": "name"}) == "nobody"


@pytest.mark.parametrize(
    "spec, says",
    [
        ({"task": "dubble", "kwargs": {"n": 1}}, "did you mean 'double'"),
        ({"kwargs": {}}, "no task is meant"),
        ("double", "no task is meant"),
        ({"task": "double", "kwargs": {"m": 1}}, r"do not fit double\(\)"),
    ],
)
def test_a_spec_that_means_nothing_fails_for_good(spec, says) -> None:
    with pytest.raises(PermanentError, match=says):
        RUN(spec)


def test_dispatch_needs_tasks() -> None:
    with pytest.raises(UsageError, match="nothing is no task"):
        dispatch({})
    with pytest.raises(UsageError, match="double is no task"):
        dispatch({"double": 5})


def test_in_a_dag_it_is_mapped_over_what_a_task_emits() -> None:
    @task
    def plan() -> list[dict[str, object]]: ...

    @dag
    def dispatched_work():
        RUN.expand(spec=plan())

    node = dispatched_work.graph()["dispatched"]

    assert node.expansion is not None
    assert node.retry.attempts == 2
    assert node.call.endswith("dispatched_work#dispatched")
    assert dispatched_work.task_function("dispatched")({"task": "name"}) == "nobody"

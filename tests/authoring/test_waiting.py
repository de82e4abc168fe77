"""Tasks that wait: sensors and approvals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stepweave import If, PokeReturn, approval, task
from stepweave.errors import DagError
from stepweave.graph.constructs import Approval, Sensor
from stepweave.graph.model import Expression, FromTask, Literal
from tests.authoring.written import graph_of, load, show, train


@task.sensor
def ready(uri: str = "") -> bool:
    return uri == "there"


@task.sensor(poke_interval="10s", timeout="1h", soft_fail=True, backoff=2, max_interval="5m", retries=1)
def arrived() -> bool: ...


def test_a_sensor_pokes_every_minute_for_a_week_unless_told_otherwise() -> None:
    graph = graph_of(lambda: [ready(), arrived(), arrived.override(poke_interval="30s")()])

    assert graph["ready"].sensor == Sensor(
        interval_seconds=60, backoff=1.0, max_interval_seconds=None, timeout_seconds=604_800, soft_fail=False
    )
    assert graph["arrived"].sensor == Sensor(
        interval_seconds=10, backoff=2.0, max_interval_seconds=300, timeout_seconds=3600, soft_fail=True
    )
    assert (graph["arrived"].timeout_seconds, graph["arrived"].retry.attempts) == (None, 1)
    other = graph["arrived__1"].sensor
    assert other is not None
    assert other.interval_seconds == 30


def test_a_sensor_outside_of_a_dag_is_a_plain_function() -> None:
    assert ready("there") is True


def test_an_approval_has_a_message_and_people_with_time() -> None:
    def written():
        best = load()
        decision = approval(
            "Deploy " + best["name"] + "?",
            approvers=["ml-leads"],
            timeout="2d",
            escalate=[(["head"], timedelta(hours=12))],
            on_timeout="reject",
            on_reject="skip",
        )
        with If(decision["approved"]):
            show(decision["comment"])

    graph = graph_of(written)
    node = graph["approval"]

    assert (node.call, node.upstream, node.fields) == ("", ("load",), (("approved",),))
    assert node.approval == Approval(
        message=Expression(
            text="('Deploy ' & $_0_) & '?'", operands=(FromTask(task="load", path=("name",)),)
        ),
        approvers=("ml-leads",),
        timeout_seconds=172_800,
        escalations=((("head",), 43_200),),
        on_timeout="reject",
        on_reject="skip",
    )
    assert graph["show"].arguments == (("value", FromTask(task="approval", path=("comment",))),)


def test_an_approval_may_have_an_id_of_its_own_and_a_plain_message() -> None:
    node = graph_of(lambda: load() >> approval("Go on?", task_id="go_on"))["go_on"]

    assert node.approval is not None
    assert (node.approval.message, node.upstream) == (Literal(json='"Go on?"'), ("load",))


def test_an_approval_outside_of_a_dag_is_an_error() -> None:
    with pytest.raises(DagError, match="outside of a DAG"):
        approval("Deploy?")


def test_what_a_sensor_hands_on_in_a_poke_return_may_be_anything() -> None:
    @task.sensor
    def counted() -> PokeReturn:
        return PokeReturn(True, 3)

    @task.sensor
    def counted_or_not() -> PokeReturn | bool:
        return False

    graph = graph_of(lambda: [train(depth=counted()), train(depth=counted_or_not())])
    assert graph["train"].upstream == ("counted",)
    assert graph["train__1"].upstream == ("counted_or_not",)

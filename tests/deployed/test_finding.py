"""Deployed runs by what people type, and lists of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stepweave.deployed.deployment import open_deployment
from stepweave.deployed.finding import find_run
from stepweave.deployed.names import dag_parameter
from stepweave.deployed.run_records import RunRecords
from stepweave.errors import UsageError
from stepweave.stores.run_table import RunFacts
from tests.deployed.deployed_world import World

NOW = datetime.now(UTC)


@pytest.fixture
def two_dags(world: World) -> World:
    world.deploy("sales")
    world.deploy("churn")
    for days, dag, run_id in [(0, "sales", "sales-3"), (1, "churn", "churn-2"), (40, "sales", "sales-1")]:
        world.record(dag, run_id, started=NOW - timedelta(days=days))
    return world


def test_the_newest_runs_come_first_also_those_of_long_ago(two_dags: World) -> None:
    found = RunRecords(open_deployment("dev")).newest(None, 10)
    assert [run.run_id for run in found] == ["sales-3", "churn-2", "sales-1"]


def test_the_runs_of_one_dag_are_listed_alone_and_no_more_than_asked(two_dags: World) -> None:
    records = RunRecords(open_deployment("dev"))
    assert [run.run_id for run in records.newest("sales", 10)] == ["sales-3", "sales-1"]
    assert [run.run_id for run in records.newest("sales", 1)] == ["sales-3"]


def test_the_local_aws_may_be_days_ahead_and_its_newest_runs_come_first_all_the_same(world: World) -> None:
    world.deploy_platform("local")
    sales = world.deploy("sales")
    world.ssm.put_parameter(Name=dag_parameter("local", "sales"), Value=sales.to_json(), Type="String")
    for name, days in [("old", 0), ("older", -1), ("ahead", 3)]:
        world.record("sales", f"sales-{name}", started=NOW + timedelta(days=days))
    found = RunRecords(open_deployment("local")).newest(None, 2)
    assert [run.run_id for run in found] == ["sales-ahead", "sales-old"]


def test_a_queued_run_is_listed_before_those_that_have_begun(two_dags: World) -> None:
    now = int((NOW.timestamp() + 60) * 1000)
    two_dags.queue.enqueue("sales", "sales-4", "{}", RunFacts(), now)
    assert RunRecords(open_deployment("dev")).newest("sales", 2)[0].status == "queued"


def test_latest_is_the_run_that_began_last(two_dags: World) -> None:
    assert find_run(open_deployment("dev"), "latest").run_id == "sales-3"


def test_latest_is_no_run_inside_another_though_that_began_later(two_dags: World) -> None:
    two_dags.record("churn", "sales-3.score", started=NOW + timedelta(seconds=5))
    assert find_run(open_deployment("dev"), "latest").run_id == "sales-3"


def test_a_run_is_found_by_the_beginning_of_its_id_in_whichever_dag(two_dags: World) -> None:
    assert find_run(open_deployment("dev"), "chu").run_id == "churn-2"


def test_an_exact_id_is_meant_although_others_begin_with_it(two_dags: World) -> None:
    two_dags.record("sales", "sales-31")
    assert find_run(open_deployment("dev"), "sales-3").run_id == "sales-3"


def test_a_run_is_not_mixed_up_with_those_inside_it(two_dags: World) -> None:
    two_dags.record("churn", "sales-3.score")
    deployment = open_deployment("dev")
    assert find_run(deployment, "sales-3").run_id == "sales-3"
    assert [run.run_id for run in RunRecords(deployment).inside("sales-3")] == ["sales-3.score"]


def test_the_beginning_of_several_ids_is_an_error_that_names_them(two_dags: World) -> None:
    with pytest.raises(UsageError, match="beginning of 2 run ids") as error:
        find_run(open_deployment("dev"), "sales")
    assert "sales-1" in str(error.value)
    assert "sales-3" in str(error.value)


@pytest.mark.parametrize(
    "name, word", [("x", "no run id begins with 'x'"), ("latest", "stepweave trigger DAG")]
)
def test_no_run_at_all_is_an_error_that_says_what_to_do(name: str, word: str, world: World) -> None:
    with pytest.raises(UsageError, match=word):
        find_run(open_deployment("dev"), name)

"""What is deployed, and what is said of what is not."""

from __future__ import annotations

import pytest

from stepweave.deployed.deployment import open_deployment
from stepweave.errors import UsageError
from tests.deployed.deployed_world import World


def test_an_environment_is_described_by_its_parameters(world: World) -> None:
    world.deploy("sales")
    world.deploy("churn")
    found = open_deployment("dev")
    assert found.platform.table == "stepweave-dev-records"
    assert found.dag_ids() == ["churn", "sales"]
    assert found.dag("sales").starter == "sales-starter:live"


def test_an_environment_that_is_not_there_is_an_error_that_names_those_that_are(world: World) -> None:
    world.deploy_platform("prod")
    with pytest.raises(UsageError) as error:
        open_deployment("prd")
    text = str(error.value)
    assert "no environment 'prd' in account 123456789012, region eu-central-1" in text
    assert "environments there: dev, prod" in text
    assert "cdk deploy -c env=prd" in text


def test_a_dag_that_is_not_deployed_is_an_error_that_names_the_one_meant(world: World) -> None:
    world.deploy("sales")
    with pytest.raises(
        UsageError, match=r"'sale' is not deployed in environment 'dev'; did you mean 'sales'\?"
    ):
        open_deployment("dev").dag("sale")


def test_an_execution_is_linked_to_the_console_of_its_region(world: World) -> None:
    found = open_deployment("dev")
    arn = "arn:aws:states:us-west-2:1:execution:m:r"
    assert found.execution_link(arn) == (
        f"https://us-west-2.console.aws.amazon.com/states/home?region=us-west-2#/v2/executions/details/{arn}"
    )


def test_the_environment_on_this_machine_has_no_console(world: World) -> None:
    world.deploy_platform("local")
    assert open_deployment("local").execution_link("arn:aws:states:us-east-1:0:execution:m:r") == ""

"""Functions of a DAG, and when a version of one is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.infra.dags.flows import compiled
from tests.infra.dags.stacks import Stacks, arn, synthesized, text

ACCOUNT = "eu-west-1:123456789012"


def test_a_dag_has_one_function_for_each_profile_and_the_starter(watched: Stacks) -> None:
    names = {one["FunctionName"] for one in watched["heavy"].of_type("Lambda::Function").values()}
    assert names == {
        "stepweave-prod-heavy--tasks",
        "stepweave-prod-heavy--tasks-2048-t300",
        "stepweave-prod-heavy--starter",
    }


def test_a_function_is_what_its_profile_says(watched: Stacks) -> None:
    functions = {one["FunctionName"]: one for one in watched["heavy"].of_type("Lambda::Function").values()}
    larger = functions["stepweave-prod-heavy--tasks-2048-t300"]
    assert (larger["MemorySize"], larger["Timeout"], larger["EphemeralStorage"]) == (2048, 300, {"Size": 512})
    assert (larger["Runtime"], larger["Architectures"]) == ("python3.13", ["arm64"])
    assert larger["Handler"] == "functions.task_runner.handler.handler"
    assert larger["TracingConfig"] == {"Mode": "Active"}
    variables = larger["Environment"]["Variables"]
    assert variables["STEPWEAVE_STORE"] == "s3://stepweave-prod-123456789012-eu-west-1"
    assert variables["STEPWEAVE_TABLE"] == "stepweave-prod"
    assert variables["POWERTOOLS_TRACE_ENABLED"] == "true"
    assert variables["STEPWEAVE_TASK_METRICS"] == "1"


def test_versions_of_functions_outlive_their_stack(watched: Stacks) -> None:
    for stack in watched.by_dag.values():
        versions = [one for one in stack.resources.values() if one["Type"] == "AWS::Lambda::Version"]
        assert len(versions) == len(stack.of_type("Lambda::Function"))
        assert {one["DeletionPolicy"] for one in versions} == {"RetainExceptOnCreate"}


def functions_and_versions(stacks: Stacks) -> tuple[dict[str, Any], dict[str, str]]:
    """What the functions of ``churn`` are, tags apart, which belong to no version; and the id of each one's version."""
    stack = stacks["churn"]
    functions = {
        name: {key: value for key, value in one.items() if key != "Tags"}
        for name, one in stack.of_type("Lambda::Function").items()
    }
    versions = {
        text(one["FunctionName"])[1:-1]: name for name, one in stack.of_type("Lambda::Version").items()
    }
    return functions, versions


@pytest.mark.parametrize(
    "settings",
    [
        {"alarms": {"per_dag": True}, "tags": {"team": "x"}, "dashboards": {"per_dag": True}},
        {"log_level": "DEBUG"},
        {"tracing": True},
        {"architecture": "x86_64"},
        {"python": "3.12"},
        {"metrics": {"per_task": True}},
        {"retention": {"records_days": 30}},
        {"region": "us-east-1", "account": "123456789012"},
    ],
)
def test_a_version_is_published_when_its_function_changes_and_only_then(
    tmp_path: Path, settings: dict[str, Any], plain: Stacks
) -> None:
    # Lambda refuses to publish what has not changed, and CloudFormation then fails the deployment.
    functions, versions = functions_and_versions(plain)
    after, published = functions_and_versions(synthesized(tmp_path, "dev", settings, [compiled("churn")]))
    assert set(after) == set(functions) == set(versions)
    for name, function in functions.items():
        assert (after[name] == function) == (published[name] == versions[name]), name


def test_the_starter_knows_its_dag_and_starts_the_alias(watched: Stacks) -> None:
    (starter,) = [
        one
        for one in watched["churn"].of_type("Lambda::Function").values()
        if one["FunctionName"].endswith("--starter")
    ]
    variables = starter["Environment"]["Variables"]
    assert variables["STEPWEAVE_DAG"] == "churn"
    assert (
        arn(variables["STEPWEAVE_MACHINE"])
        == f"arn:aws:states:{ACCOUNT}:stateMachine:stepweave-prod-churn:live"
    )
    (live,) = watched["churn"].of_type("Lambda::Alias").values()
    assert live["Name"] == "live"

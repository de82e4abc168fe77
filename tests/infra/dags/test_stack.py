"""What else the stack of a DAG holds, and its limits."""

from __future__ import annotations

import json

from tests.infra.dags.stacks import Stacks, arn

ACCOUNT = "eu-west-1:123456789012"


def test_the_description_says_where_everything_is(watched: Stacks) -> None:
    parameter = watched["compensation"].only("SSM::Parameter")
    assert parameter["Name"] == "/stepweave/prod/dags/compensation"
    found = json.loads(arn(parameter["Value"]))
    machine = f"arn:aws:states:{ACCOUNT}:stateMachine:stepweave-prod-compensation"
    assert found["machine"] == f"{machine}:live"
    assert found["machines"] == {"cleanup": f"{machine}--cleanup"}
    assert found["starter"] == f"arn:aws:lambda:{ACCOUNT}:function:stepweave-prod-compensation--starter:live"
    assert found["task_log_group"] == "/stepweave/prod/compensation/tasks"
    assert len(found["code_version"]) == 16


def test_log_groups_keep_what_the_settings_say(watched: Stacks) -> None:
    groups = watched["churn"].of_type("Logs::LogGroup").values()
    assert {one["RetentionInDays"] for one in groups} == {30}
    assert {one["LogGroupName"] for one in groups} == {
        "/stepweave/prod/churn/tasks",
        "/stepweave/prod/churn/jobs",
        "/stepweave/prod/churn/starter",
        "/aws/vendedlogs/states/stepweave-prod-churn",
    }


def test_no_role_allows_a_bare_wildcard_but_for_actions_that_know_no_resources(watched: Stacks) -> None:
    unbound = {
        "batch:DescribeJobs",
        "ecr:GetAuthorizationToken",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    }
    for stack in watched.by_dag.values():
        for role in stack.of_type("IAM::Role").values():
            for statement in (
                one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]
            ):
                assert "*" not in "".join(statement["Action"])
                if "*" in statement["Resource"]:
                    assert {one for one in statement["Action"] if not one.startswith("logs:")} <= unbound


def test_a_stack_stays_far_from_the_limits_of_cloudformation(watched: Stacks) -> None:
    for stack in watched.by_dag.values():
        assert len(stack.resources) < 60
        assert len(json.dumps(stack.content)) < 100_000


def test_resources_are_tagged_with_their_dag_and_its_owner(watched: Stacks) -> None:
    tags = watched["heavy"].only("StepFunctions::StateMachine")["Tags"]
    assert {"Key": "stepweave:dag", "Value": "heavy"} in tags
    assert {"Key": "owner", "Value": "science"} in tags

"""Types of CloudFormation that the layer adds: created, updated, rolled back, deleted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.aws

Client = Callable[[str], Any]
Template = dict[str, Any]

ROLE = "arn:aws:iam::000000000000:role/any"


def template(revision: int, **more: Any) -> Template:
    """A stack with everything, of which ``revision`` is what an update changes."""
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Say",
        "States": {"Say": {"Type": "Pass", "Output": f"revision {revision}", "End": True}},
    }
    resources: dict[str, Any] = {
        "Environment": {"Type": "AWS::Batch::ComputeEnvironment", "Properties": {"Type": "unmanaged"}},
        "Fair": {
            "Type": "AWS::Batch::SchedulingPolicy",
            "Properties": {"FairsharePolicy": {"ShareDecaySeconds": 3600}},
        },
        "Queue": {
            "Type": "AWS::Batch::JobQueue",
            "Properties": {
                "JobQueueName": "templated",
                "Priority": revision,
                "SchedulingPolicyArn": {"Fn::GetAtt": ["Fair", "Arn"]},
                "ComputeEnvironmentOrder": [{"Order": 1, "ComputeEnvironment": {"Ref": "Environment"}}],
            },
        },
        "Definition": {
            "Type": "AWS::Batch::JobDefinition",
            "Properties": {
                "JobDefinitionName": "templated",
                "Type": "container",
                "ContainerProperties": {"Image": "local", "Command": ["echo", str(revision)]},
                "RetryStrategy": {"Attempts": "2"},
                "ResourceRetentionPolicy": {"SkipDeregisterOnUpdate": True},
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "templated",
                "RoleArn": ROLE,
                "DefinitionString": json.dumps(definition),
            },
        },
        "Version": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
            },
        },
        "Live": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "DeploymentPreference": {"StateMachineVersionArn": {"Ref": "Version"}, "Type": "ALL_AT_ONCE"},
            },
        },
        "Errand": {"Type": "AWS::StepFunctions::Activity", "Properties": {"Name": "templated"}},
        **more,
    }
    outputs = {
        name: {"Value": {"Ref": name}} for name in ("Queue", "Definition", "Version", "Live", "Errand")
    }
    return {"Resources": resources, "Outputs": outputs}


def outputs(aws: Client, name: str) -> dict[str, str]:
    (stack,) = aws("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def settled(aws: Client, name: str) -> str:
    """The status of a stack when nothing is going on with it any more."""
    end = time.monotonic() + 60
    while True:
        try:
            (stack,) = aws("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError:
            return "gone"
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            return str(stack["StackStatus"])
        assert time.monotonic() < end, stack
        time.sleep(0.1)


def revision_of(aws: Client, definition_arn: str) -> str:
    (found,) = aws("batch").describe_job_definitions(jobDefinitions=[definition_arn])["jobDefinitions"]
    return (
        f"{found['status']} {found['containerProperties']['command'][1]} {found['retryStrategy']['attempts']}"
    )


def output_of(aws: Client, machine: str) -> str:
    states = aws("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        pass
    return str(json.loads(found["output"]))


def test_a_stack_is_created_updated_rolled_back_and_deleted(aws: Client) -> None:
    cloudformation, name = aws("cloudformation"), "everything"

    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template(1)))
    assert settled(aws, name) == "CREATE_COMPLETE"
    first = outputs(aws, name)
    assert first["Definition"].endswith(":job-definition/templated:1")
    assert revision_of(aws, first["Definition"]) == "ACTIVE 1 2"
    assert output_of(aws, first["Live"]) == "revision 1"

    cloudformation.update_stack(StackName=name, TemplateBody=json.dumps(template(2)))
    assert settled(aws, name) == "UPDATE_COMPLETE"
    second = outputs(aws, name)
    assert second["Live"] == first["Live"]
    assert [revision_of(aws, one["Definition"]) for one in (first, second)] == ["ACTIVE 1 2", "ACTIVE 2 2"]
    assert [output_of(aws, arn) for arn in (second["Live"], first["Version"])] == ["revision 2", "revision 1"]
    (queue,) = aws("batch").describe_job_queues(jobQueues=["templated"])["jobQueues"]
    assert (queue["priority"], queue["jobQueueArn"]) == (2, second["Queue"])

    nowhere = [{"StateMachineVersionArn": f"{second['Version']}00", "Weight": 100}]
    broken = {
        "Type": "AWS::StepFunctions::StateMachineAlias",
        "DependsOn": ["Live"],
        "Properties": {"Name": "broken", "RoutingConfiguration": nowhere},
    }
    cloudformation.update_stack(StackName=name, TemplateBody=json.dumps(template(3, Broken=broken)))
    assert settled(aws, name) == "UPDATE_ROLLBACK_COMPLETE"
    assert output_of(aws, first["Live"]) == "revision 2"

    cloudformation.delete_stack(StackName=name)
    assert settled(aws, name) in ("gone", "DELETE_COMPLETE")
    assert aws("batch").describe_job_queues(jobQueues=["templated"])["jobQueues"] == []
    assert aws("stepfunctions").list_activities()["activities"] == []


def test_a_type_that_nobody_knows_fails_the_stack(aws: Client) -> None:
    unknown = {"Resources": {"What": {"Type": "AWS::Nothing::Here", "Properties": {}}}}
    with pytest.raises(ClientError, match="AWS::Nothing::Here"):
        aws("cloudformation").create_stack(StackName="unknown", TemplateBody=json.dumps(unknown))

"""A function may do what its role allows and nothing else; people may do everything."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.aws

Client = Callable[[str], Any]

SOURCE = """
import boto3
def handler(event, context):
    service, action, arguments = event
    try:
        getattr(boto3.client(service), action)(**arguments)
    except Exception as error:
        return error.response["Error"]["Code"]
    return "done"
"""
ACCOUNT = "000000000000"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:guarded"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALLOWED = [
    ("s3:PutObject", "arn:aws:s3:::guarded/mine/*"),
    ("states:StartExecution", MACHINE),
    ("ssm:GetParametersByPath", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/guarded"),
    ("states:SendTaskHeartbeat", f"{MACHINE}*"),
]


def policy(allowed: list[tuple[str, str]]) -> str:
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def call(aws: Client) -> Iterator[Callable[..., str]]:
    """Call an action as the function ``guarded``: ``done``, or the code of the error."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("index.py", SOURCE)
    role = aws("iam").create_role(RoleName="guarded", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
        "Arn"
    ]
    aws("iam").put_role_policy(RoleName="guarded", PolicyName="all", PolicyDocument=policy(ALLOWED))
    aws("s3").create_bucket(Bucket="guarded")
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "End": True}},
    }
    machine = {"name": "guarded", "definition": json.dumps(definition), "roleArn": role}
    version = aws("stepfunctions").create_state_machine(**machine, publish=True)["stateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    aws("stepfunctions").create_state_machine_alias(name="live", routingConfiguration=routing)
    aws("lambda").create_function(
        FunctionName="guarded",
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": data.getvalue()},
        Timeout=60,
        MemorySize=512,
    )

    def called(service: str, action: str, **arguments: Any) -> str:
        event = json.dumps([service, action, arguments])
        answer = aws("lambda").invoke(FunctionName="guarded", Payload=event)
        return str(json.loads(answer["Payload"].read()))

    yield called
    aws("lambda").delete_function(FunctionName="guarded")


def test_what_the_role_allows_is_done_and_the_rest_is_refused(call: Callable[..., str]) -> None:
    assert call("s3", "put_object", Bucket="guarded", Key="mine/a", Body="x") == "done"
    assert call("s3", "put_object", Bucket="guarded", Key="yours/a", Body="x") == "AccessDenied"
    assert call("s3", "get_object", Bucket="guarded", Key="mine/a") == "AccessDenied"
    assert call("dynamodb", "list_tables") == "AccessDeniedException"


def test_who_may_start_a_machine_may_start_its_alias(call: Callable[..., str]) -> None:
    assert call("stepfunctions", "start_execution", stateMachineArn=f"{MACHINE}:live") == "done"
    assert (
        call("stepfunctions", "start_execution", stateMachineArn=f"{MACHINE}-other")
        == "AccessDeniedException"
    )


def test_parameters_are_read_by_the_path_that_is_allowed(call: Callable[..., str]) -> None:
    assert call("ssm", "get_parameters_by_path", Path="/guarded/") == "done"
    assert call("ssm", "get_parameters_by_path", Path="/other") == "AccessDeniedException"


def test_tokens_are_sent_back_by_who_may_for_some_machine(call: Callable[..., str]) -> None:
    assert call("stepfunctions", "send_task_heartbeat", taskToken="none") == "TaskDoesNotExist"
    assert call("stepfunctions", "send_task_success", taskToken="none", output="1") == "AccessDeniedException"


def test_a_bucket_that_wants_tls_takes_what_a_function_sends(aws: Client, call: Callable[..., str]) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::guarded/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    aws("s3").put_bucket_policy(Bucket="guarded", Policy=document)
    assert call("s3", "put_object", Bucket="guarded", Key="mine/b", Body="x") == "done"


def test_people_may_do_everything(aws: Client, call: Callable[..., str]) -> None:
    aws("s3").put_object(Bucket="guarded", Key="yours/b", Body=b"x")
    assert aws("s3").get_object(Bucket="guarded", Key="yours/b")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="NoSuchKey"):
        aws("s3").get_object(Bucket="guarded", Key="absent")


def test_a_permission_that_is_taken_away_is_missed_at_once(aws: Client, call: Callable[..., str]) -> None:
    put = aws("iam").put_role_policy
    put(RoleName="guarded", PolicyName="all", PolicyDocument=policy(ALLOWED[1:]))
    assert call("s3", "put_object", Bucket="guarded", Key="mine/c", Body="x") == "AccessDenied"
    put(RoleName="guarded", PolicyName="all", PolicyDocument=policy(ALLOWED))
    assert call("s3", "put_object", Bucket="guarded", Key="mine/c", Body="x") == "done"

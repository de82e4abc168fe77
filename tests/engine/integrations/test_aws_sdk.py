"""AWS services as tasks call them, on moto in this process, under the virtual clock."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.integrations.aws_sdk import aws_integrations
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError, UsageError
from tests.engine.building import machine
from tests.engine.integrations.aws_tasks import aws, ran, result_of

TABLE = {
    "call": "dynamodb:createTable",
    "arguments": {
        "TableName": "orders",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    },
}
QUEUE = {"call": "sqs:createQueue", "arguments": {"QueueName": "q"}}
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
TOPIC = {"call": "sns:createTopic", "arguments": {"Name": "t"}}
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:t"
KEY = {"id": {"S": "1"}}


def world(*calls: dict[str, Any], **options: Any) -> AwsServices:
    services = AwsServices(**options)
    services.prepare(calls)
    return services


def received(services: AwsServices) -> list[str]:
    """The bodies of the messages in the queue."""
    messages = services.client("sqs").receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10)
    return [message["Body"] for message in messages.get("Messages", [])]


def test_an_item_is_put_updated_read_and_deleted() -> None:
    services = world(TABLE)
    item = {**KEY, "n": {"N": "1"}, "ok": {"BOOL": True}, "none": {"NULL": True}, "tags": {"SS": ["a"]}}
    update = {
        "TableName": "orders",
        "Key": KEY,
        "UpdateExpression": "SET n = n + :one",
        "ExpressionAttributeValues": {":one": {"N": "{% $string(1) %}"}},
        "ReturnValues": "UPDATED_NEW",
    }
    put = aws("dynamodb:putItem", {"TableName": "orders", "Item": item})
    assert result_of(services, put, aws("dynamodb:updateItem", update))["Attributes"] == {"n": {"N": "2"}}
    got = result_of(services, aws("dynamodb:getItem", {"TableName": "orders", "Key": KEY}))
    assert got["Item"] == {**item, "n": {"N": "2"}}
    assert got["SdkHttpMetadata"] == {"HttpStatusCode": 200}
    delete = {"TableName": "orders", "Key": KEY, "ReturnValues": "ALL_OLD"}
    assert result_of(services, aws("dynamodb:deleteItem", delete))["Attributes"]["ok"] == {"BOOL": True}
    assert "Item" not in result_of(services, aws("dynamodb:getItem", {"TableName": "orders", "Key": KEY}))


def test_a_condition_that_does_not_hold_has_the_error_of_the_integration() -> None:
    services = world(TABLE)
    put = {"TableName": "orders", "Item": KEY, "ConditionExpression": "attribute_not_exists(id)"}
    assert ran(services, aws("dynamodb:putItem", put)).status == "SUCCEEDED"
    optimized = ran(services, aws("dynamodb:putItem", put))
    assert optimized.error == "DynamoDB.ConditionalCheckFailedException"
    assert (optimized.cause or "").startswith(
        "The conditional request failed (Service: AmazonDynamoDBv2; Status Code: 400;"
        " Error Code: ConditionalCheckFailedException; Request ID: "
    )
    sdk = ran(services, aws("aws-sdk:dynamodb:putItem", put))
    assert sdk.error == "DynamoDb.ConditionalCheckFailedException"
    assert (sdk.cause or "").startswith(
        "The conditional request failed (Service: DynamoDb, Status Code: 400, Request ID: "
    )


@pytest.mark.parametrize(
    "resource, error",
    [
        ("dynamodb:putItem", "DynamoDB.ResourceNotFoundException"),
        ("aws-sdk:dynamodb:putItem", "DynamoDb.ResourceNotFoundException"),
    ],
)
def test_a_table_that_is_not_there(resource: str, error: str) -> None:
    task = aws(resource, {"TableName": "gone", "Item": KEY})
    caught = {**task, "Catch": [{"ErrorEquals": [error], "Next": "t1"}]}
    assert result_of(world(), caught, {"Type": "Pass"})["Error"] == error


@pytest.mark.parametrize(
    "resource, error",
    [
        ("dynamodb:updateItem", "DynamoDB.AmazonDynamoDBException"),
        ("aws-sdk:dynamodb:updateItem", "DynamoDb.DynamoDbException"),
    ],
)
def test_an_error_that_the_service_does_not_list_is_its_own(resource: str, error: str) -> None:
    update = {"TableName": "orders", "Key": KEY, "UpdateExpression": "NONSENSE"}
    assert ran(world(TABLE), aws(resource, update)).error == error


def test_what_is_null_is_not_sent() -> None:
    services = world(TABLE)
    put = {"TableName": "orders", "Item": KEY, "ConditionExpression": None}
    assert ran(services, aws("dynamodb:putItem", put)).status == "SUCCEEDED"
    execution = ran(services, aws("aws-sdk:dynamodb:putItem", {"TableName": "orders", "Item": "{% null %}"}))
    assert execution.error == "DynamoDb.DynamoDbException"


def test_an_sdk_integration_has_the_names_of_the_java_sdk() -> None:
    services = world(TABLE, QUEUE)
    item = {**KEY, "ok": {"Bool": True}, "none": {"Nul": True}, "tags": {"Ss": ["a"]}, "n": {"N": "1"}}
    query = {
        "TableName": "orders",
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "1"}},
    }
    put = aws("aws-sdk:dynamodb:putItem", {"TableName": "orders", "Item": item})
    result = result_of(services, put, aws("aws-sdk:dynamodb:query", query))
    assert result == {"Count": 1, "Items": [item], "ScannedCount": 1}
    described = result_of(services, aws("aws-sdk:dynamodb:describeTable", {"TableName": "orders"}))
    assert described["Table"]["CreationDateTime"].endswith("Z")
    sent = result_of(services, aws("aws-sdk:sqs:sendMessage", {"QueueUrl": QUEUE_URL, "MessageBody": "x"}))
    assert sorted(sent) == ["Md5OfMessageBody", "MessageId"]


def test_a_message_is_sent_as_text_or_as_data() -> None:
    services = world(QUEUE)
    for body in ("plain", {"a": [1, None]}, 7):
        arguments = {"QueueUrl": QUEUE_URL, "MessageBody": "{% $states.input %}"}
        result = ran(services, aws("sqs:sendMessage", arguments), value=body).output
        assert len(result["MD5OfMessageBody"]) == 32
    assert received(services) == ["plain", '{"a":[1,null]}', "7"]


def test_a_message_carries_the_token_by_which_its_task_goes_on() -> None:
    services = world(QUEUE)
    body = {"token": "{% $states.context.Task.Token %}"}
    task = aws(
        "sqs:sendMessage.waitForTaskToken", {"QueueUrl": QUEUE_URL, "MessageBody": body}, TimeoutSeconds=60
    )
    definition = parse(machine(("t", task)), "main")
    engine = Engine({"main": definition}, aws_integrations(services), clock=VirtualClock())

    async def main() -> Any:
        execution = engine.start("main", None, "run-1")
        bodies: list[str] = []
        while not bodies:
            await asyncio.sleep(1)
            bodies = received(services)
        engine.tokens.send_success(json.loads(bodies[0])["token"], "answered")
        return await engine.wait(execution.name)

    assert engine.clock.run(main()).output == "answered"


@pytest.mark.parametrize(
    "resource, error",
    [
        ("sqs:sendMessage", "SQS.QueueDoesNotExistException"),
        ("aws-sdk:sqs:sendMessage", "Sqs.QueueDoesNotExistException"),
    ],
)
def test_a_queue_that_is_not_there(resource: str, error: str) -> None:
    task = aws(resource, {"QueueUrl": QUEUE_URL, "MessageBody": "x"})
    assert ran(world(), task).error == error


def test_a_notification_reaches_its_subscribers() -> None:
    queue_arn = "arn:aws:sqs:us-east-1:123456789012:q"
    subscribe = {"TopicArn": TOPIC_ARN, "Protocol": "sqs", "Endpoint": queue_arn}
    services = world(TOPIC, QUEUE, {"call": "sns:subscribe", "arguments": subscribe})
    result = result_of(services, aws("sns:publish", {"TopicArn": TOPIC_ARN, "Message": {"a": 1}}))
    assert len(result["MessageId"]) == 36
    assert [json.loads(body)["Message"] for body in received(services)] == ['{"a":1}']


def test_a_topic_that_is_not_there() -> None:
    task = aws("sns:publish", {"TopicArn": TOPIC_ARN, "Message": "x"})
    assert ran(world(), task).error == "SNS.NotFoundException"


def test_an_event_tells_which_execution_sent_it() -> None:
    rule = {"Name": "r", "EventPattern": '{"source": ["me"]}'}
    targets = {"Rule": "r", "Targets": [{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}]}
    services = world(
        QUEUE,
        {"call": "eventbridge:putRule", "arguments": rule},
        {"call": "eventbridge:putTargets", "arguments": targets},
    )
    entry = {"Source": "me", "DetailType": "done", "Detail": {"a": 1}, "Resources": ["arn:mine"]}
    result = result_of(services, aws("events:putEvents", {"Entries": [entry]}))
    assert result["FailedEntryCount"] == 0
    (body,) = received(services)
    event = json.loads(body)
    assert (event["source"], event["detail-type"], event["detail"]) == ("me", "done", {"a": 1})
    assert event["resources"] == [
        "arn:mine",
        "arn:aws:states:local:000000000000:stateMachine:main",
        "arn:aws:states:local:000000000000:execution:main:run-1",
    ]


def test_an_event_that_is_refused_fails_the_task() -> None:
    good = {"Source": "me", "DetailType": "d", "Detail": {}}
    execution = ran(world(), aws("events:putEvents", {"Entries": [good, {"DetailType": "d", "Detail": {}}]}))
    assert execution.error == "EventBridge.FailedEntry"
    cause = json.loads(execution.cause or "")
    assert cause["FailedEntryCount"] == 1
    assert cause["Entries"][1]["ErrorCode"] == "InvalidArgument"


def test_a_schedule_is_created_with_its_time() -> None:
    schedule = {
        "Name": "s",
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "StartDate": "2030-01-01T00:00:00Z",
        "Target": {"Arn": QUEUE_URL, "RoleArn": "arn:aws:iam::123456789012:role/r", "Input": {"a": 1}},
        "ClientToken": "{% $uuid() %}",
    }
    services = world()
    result = result_of(services, aws("aws-sdk:scheduler:createSchedule", schedule))
    assert result["ScheduleArn"].endswith("schedule/default/s")
    assert services.client("scheduler").get_schedule(Name="s")["Target"]["Input"] == '{"a":1}'


def test_bytes_travel_as_text() -> None:
    services = world({"call": "kinesis:createStream", "arguments": {"StreamName": "s", "ShardCount": 1}})
    put = {"StreamName": "s", "Data": {"größe": 1}, "PartitionKey": "k"}
    assert ran(services, aws("aws-sdk:kinesis:putRecord", put)).status == "SUCCEEDED"
    secret = {"Name": "s", "SecretBinary": "größe", "ClientRequestToken": "{% $uuid() %}"}
    tasks = (
        aws("aws-sdk:secretsmanager:createSecret", secret),
        aws("aws-sdk:secretsmanager:getSecretValue", {"SecretId": "s"}),
    )
    assert result_of(services, *tasks)["SecretBinary"] == "größe"


def test_a_stream_is_read_as_text() -> None:
    services = world({"call": "s3:createBucket", "arguments": {"Bucket": "bucket"}})
    put = aws("aws-sdk:s3:putObject", {"Bucket": "bucket", "Key": "k", "Body": {"a": 1}})
    got = result_of(services, put, aws("aws-sdk:s3:getObject", {"Bucket": "bucket", "Key": "k"}))
    assert (got["Body"], got["ContentLength"]) == ('{"a":1}', 7)
    # As recorded on AWS.
    text = aws("aws-sdk:s3:putObject", {"Bucket": "bucket", "Key": "k", "Body": "text data"})
    assert result_of(services, text)["ETag"] == '"2b5df3712557f503a9977a8ea893b2c9"'
    gone = ran(services, aws("aws-sdk:s3:getObject", {"Bucket": "bucket", "Key": "gone"}))
    assert gone.error == "S3.NoSuchKeyException"


def test_what_has_no_result_gives_an_empty_object() -> None:
    delete = aws("aws-sdk:sqs:deleteQueue", {"QueueUrl": QUEUE_URL})
    assert result_of(world(QUEUE), delete) == {}


@pytest.mark.parametrize(
    "task, what, got, hint",
    [
        (aws("aws-sdk:dynamo:getItem", {}), "no service of AWS", "dynamo", "dynamodb"),
        (aws("aws-sdk:dynamodb:getItems", {}), "no action of dynamodb", "getItems", "getItem"),
        (
            aws("aws-sdk:sqs:listQueues", {"Prefix": "x"}),
            "The field 'Prefix' is not supported by Step Functions",
            "Prefix",
            "QueueNamePrefix",
        ),
        (
            aws("aws-sdk:sqs:deleteQueue", {}),
            "The field 'QueueUrl' is required but was missing",
            "QueueUrl",
            "QueueUrl",
        ),
        (
            aws("aws-sdk:dynamodb:putItem", {"TableName": "t", "Item": {"ok": {"BOOL": "{% true %}"}}}),
            "The field 'BOOL' is not supported by Step Functions",
            "Item.ok.BOOL",
            "write Bool",
        ),
        (
            aws("dynamodb:putItem", {"TableName": "t", "Item": {"n": {"N": 5}}}),
            "The value for the field 'N' must be a STRING",
            "Item.n.N",
            "a STRING",
        ),
        (
            aws("events:putEvents", {"Entries": [{"Source": 1}]}),
            "The value for the field 'Source' must be a STRING",
            "Entries[0].Source",
            "a STRING",
        ),
        (
            aws("aws-sdk:sqs:receiveMessage", {"QueueUrl": "u", "MaxNumberOfMessages": "1"}),
            "The value for the field 'MaxNumberOfMessages' must be a NUMBER",
            "MaxNumberOfMessages",
            "a NUMBER",
        ),
        (
            aws("aws-sdk:dynamodb:getItem", {"TableName": "t", "Key": []}),
            "The value for the field 'Key' must be an OBJECT",
            "Key",
            "an OBJECT",
        ),
        (
            aws("aws-sdk:dynamodb:getItem", {"TableName": "t", "Key": {}, "ConsistentRead": 1}),
            "The value for the field 'ConsistentRead' must be a BOOLEAN",
            "ConsistentRead",
            "a BOOLEAN",
        ),
        (
            aws("events:putEvents", {"Entries": {}}),
            "The value for the field 'Entries' must be an ARRAY",
            "Entries",
            "an ARRAY",
        ),
    ],
)
def test_what_aws_does_not_know_is_found_before_anything_runs(
    task: dict[str, Any], what: str, got: str, hint: str
) -> None:
    with pytest.raises(DefinitionError, match=what) as caught:
        ran(AwsServices(), task)
    (problem,) = caught.value.problems
    assert (problem.state, problem.got) == ("main/t0", got)
    assert hint in f"{problem.expected} {problem.fix}"


def test_the_same_is_found_while_it_runs_where_it_is_computed() -> None:
    task = aws("aws-sdk:dynamodb:putItem", "{% {'TableName': 7, 'Itm': 1} %}")
    execution = ran(AwsServices(), task)
    assert execution.error == "States.Runtime"
    for text in (
        "The value for the field 'TableName' must be a STRING",
        "The field 'Itm' is not supported by Step Functions",
        "The field 'Item' is required but was missing",
    ):
        assert text in (execution.cause or "")


def test_each_world_begins_empty_and_has_the_same_ids() -> None:
    task = aws("sqs:sendMessage", {"QueueUrl": QUEUE_URL, "MessageBody": "x"})
    first = world(QUEUE)
    one = result_of(first, task)["MessageId"]
    assert result_of(world(QUEUE), task)["MessageId"] == one
    with pytest.raises(UsageError, match="another engine has started an AWS in this process"):
        first.client("sqs")


def test_two_engines_may_share_a_world() -> None:
    services = world(TABLE)
    ran(services, aws("dynamodb:putItem", {"TableName": "orders", "Item": KEY}))
    get = aws("dynamodb:getItem", {"TableName": "orders", "Key": KEY})
    assert result_of(services, get)["Item"] == KEY


def test_what_a_test_set_up_with_moto_is_there() -> None:
    with mock_aws():
        queue = boto3.client("sqs", region_name="us-east-1").create_queue(QueueName="q")
        services = AwsServices()
        ran(services, aws("sqs:sendMessage", {"QueueUrl": queue["QueueUrl"], "MessageBody": "x"}))
        assert received(services) == ["x"]


def test_the_resources_belong_to_the_account_and_the_region_given() -> None:
    services = world(TOPIC, region="eu-west-1", account="111122223333")
    topics = result_of(services, aws("aws-sdk:sns:listTopics", {}))["Topics"]
    assert topics == [{"TopicArn": "arn:aws:sns:eu-west-1:111122223333:t"}]


@pytest.mark.parametrize(
    "task",
    [
        aws("aws-sdk:sqs:startMessageMoveTask", {"SourceArn": "arn:aws:sqs:us-east-1:123456789012:q"}),
        aws("aws-sdk:bedrockruntime:applyGuardrail", {
            "GuardrailIdentifier": "g", "GuardrailVersion": "1", "Source": "INPUT", "Content": [],
        }),
    ],
)  # fmt: skip
def test_what_moto_does_not_serve_is_a_clear_error(task: dict[str, Any]) -> None:
    with pytest.raises(
        UsageError, match=r"moto does not serve this call: .*mock the state, or give an endpoint"
    ):
        ran(world(), task)


def test_what_moto_stumbles_over_fails_the_task() -> None:
    execution = ran(world(), aws("sns:publish", {"Message": "x"}))
    assert execution.error == "SNS.SdkClientException"
    assert "moto has no answer" in (execution.cause or "")


@pytest.mark.parametrize(
    "call, text",
    [
        ({"call": "sqs:createQueue"}, "The field 'QueueName' is required but was missing"),
        ({"call": "sqs:makeQueue"}, "the Resource names no action of sqs"),
        ({"call": "queues:make"}, "the Resource names no service of AWS"),
        (
            {"call": "dynamodb:deleteTable", "arguments": {"TableName": "t"}},
            "DynamoDb.ResourceNotFoundException",
        ),
        ({}, "no service of AWS"),
    ],
)
def test_a_set_up_that_cannot_be_made_says_which_call(call: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=r"call 2 of the set-up, '.*', failed") as caught:
        world(QUEUE, call)
    assert text in str(caught.value)


def test_nothing_of_aws_is_loaded_before_a_task_needs_it() -> None:
    code = (
        "import sys; from stepweave.engine.integrations.standard import standard_integrations;"
        "standard_integrations(); print([name for name in"
        " ('boto3', 'botocore', 'moto', 'http.client', 'pyarrow') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


@pytest.mark.parametrize("absent", ["boto3", "moto"])
def test_what_is_not_installed_is_said_before_anything_runs(absent: str) -> None:
    code = f"""
import sys
if {absent!r} == "boto3":
    sys.modules["boto3"] = None
else:
    import importlib.util
    found = importlib.util.find_spec
    importlib.util.find_spec = lambda name, package=None: None if name == "moto" else found(name, package)
from stepweave.engine.integrations.aws_services import AwsServices
from tests.engine.integrations.aws_tasks import aws, ran
try:
    ran(AwsServices(), aws("aws-sdk:sqs:listQueues", {{}}))
except Exception as error:
    print(type(error).__name__, error)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("DefinitionError state 'main/t0': calls of AWS services need packages")
    assert "pip install 'stepweave[services]'" in shown.stdout

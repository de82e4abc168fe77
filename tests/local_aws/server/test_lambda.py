"""Lambda's API on the local AWS: versions, asynchronous calls, logs, metrics, and the way to other services."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from stepweave.local_aws.home import Running

pytestmark = pytest.mark.aws

Client = Callable[[str], Any]

SOURCE = """
import json, os
def handler(event, context):
    print("got", json.dumps(event))
    if event.get("fail"):
        raise ValueError("as asked")
    if event.get("buckets"):
        import boto3
        return [one["Name"] for one in boto3.client("s3").list_buckets()["Buckets"]]
    if event.get("metric"):
        directive = {"Namespace": "Mine", "Dimensions": [["env"]], "Metrics": [{"Name": "Rows", "Unit": "Count"}]}
        print(json.dumps({"_aws": {"CloudWatchMetrics": [directive]}, "env": "test", "Rows": 7}))
    return {"version": context.function_version, "greeting": os.environ.get("GREETING")}
"""


def zipped(source: str = SOURCE) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("index.py", source)
    return data.getvalue()


def eventually(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found


def invoke(aws: Client, name: str, event: Any, **fields: Any) -> tuple[str | None, Any]:
    answer = aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **fields)
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


@pytest.fixture
def function(aws: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"f-{abs(hash(request.node.name)) % 10**8}"
    aws("sqs").create_queue(QueueName=f"{name}-dead")
    aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="index.handler",
        Code={"ZipFile": zipped()},
        Environment={"Variables": {"GREETING": "hello"}},
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:us-east-1:000000000000:{name}-dead"},
        LoggingConfig={"LogGroup": f"/mine/{name}"},
        Timeout=20,
        MemorySize=256,
    )
    yield name
    aws("lambda").delete_function(FunctionName=name)


def messages(aws: Client, name: str) -> list[str]:
    found = aws("logs").filter_log_events(logGroupName=f"/mine/{name}")["events"]
    assert all(event["eventId"] for event in found)
    return [event["message"] for event in found]


def test_an_alias_calls_the_version_that_it_names_until_it_names_another(aws: Client, function: str) -> None:
    first = aws("lambda").publish_version(FunctionName=function)["Version"]
    aws("lambda").create_alias(FunctionName=function, Name="live", FunctionVersion=first)
    aws("lambda").update_function_code(
        FunctionName=function, ZipFile=zipped(SOURCE.replace('"greeting"', '"hi"'))
    )
    second = aws("lambda").publish_version(FunctionName=function)["Version"]
    assert invoke(aws, function, {}, Qualifier="live") == (None, {"version": first, "greeting": "hello"})
    aws("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion=second)
    assert invoke(aws, function, {}, Qualifier="live") == (None, {"version": second, "hi": "hello"})


def test_an_error_is_that_of_the_code(aws: Client, function: str) -> None:
    error, body = invoke(aws, function, {"fail": True})
    assert (error, body["errorType"], body["errorMessage"]) == ("Unhandled", "ValueError", "as asked")


def test_a_function_reaches_the_services_beside_it(aws: Client, function: str) -> None:
    aws("s3").create_bucket(Bucket=f"{function}-bucket")
    error, names = invoke(aws, function, {"buckets": True})
    assert error is None
    assert f"{function}-bucket" in names


def test_an_asynchronous_call_that_fails_is_tried_again_and_then_buried(aws: Client, function: str) -> None:
    event = {"fail": True, "n": 1}
    aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event), InvocationType="Event")
    queue = aws("sqs").get_queue_url(QueueName=f"{function}-dead")["QueueUrl"]
    receive = aws("sqs").receive_message
    (buried,) = eventually(
        lambda: receive(QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=1).get("Messages")
    )
    assert json.loads(buried["Body"]) == event
    assert buried["MessageAttributes"]["ErrorMessage"]["StringValue"] == "as asked"
    assert len([line for line in messages(aws, function) if line.startswith("got")]) == 3


def test_the_log_is_where_the_function_says_and_can_be_searched(aws: Client, function: str) -> None:
    invoke(aws, function, {"run": "r1", "task": "load"})
    invoke(aws, function, {"run": "r2", "task": "load"})
    lines = messages(aws, function)
    assert [line.split()[0] for line in lines[:4]] == ["START", "got", "END", "REPORT"]
    aws("logs").create_log_stream(logGroupName=f"/mine/{function}", logStreamName="own")
    entries = [json.dumps({"run": run, "task": "load"}) for run in ("r1", "r2")]
    now = int(time.time() * 1000)
    aws("logs").put_log_events(
        logGroupName=f"/mine/{function}",
        logStreamName="own",
        logEvents=[{"timestamp": now, "message": text} for text in entries],
    )
    found = aws("logs").filter_log_events(
        logGroupName=f"/mine/{function}", filterPattern='{ $.run = "r2" && $.task = "load" }'
    )
    assert [event["message"] for event in found["events"]] == entries[1:]


def test_calls_and_embedded_metrics_are_counted(aws: Client, function: str, local_aws: Running) -> None:
    invoke(aws, function, {"metric": True})
    invoke(aws, function, {"fail": True})
    with urllib.request.urlopen(f"{local_aws.endpoint}/_stepweave/clock", timeout=10) as answer:
        now = datetime.fromisoformat(json.load(answer)["now"])  # other tests may have moved it

    def total(namespace: str, name: str, dimensions: dict[str, str]) -> float:
        answer = aws("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])

    of_function = {"FunctionName": function}
    assert total("AWS/Lambda", "Invocations", of_function) == 2
    assert total("AWS/Lambda", "Errors", of_function) == 1
    assert total("Mine", "Rows", {"env": "test"}) == 7


def test_too_many_calls_at_a_time_are_throttled(aws: Client, function: str) -> None:
    aws("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(aws("lambda").exceptions.TooManyRequestsException):
        invoke(aws, function, {})


def test_a_notification_and_an_event_call_a_function(aws: Client, function: str) -> None:
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    topic = aws("sns").create_topic(Name=function)["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    aws("sns").publish(TopicArn=topic, Message="hello")
    pattern = json.dumps({"source": [function]})
    aws("events").put_rule(Name=function, EventPattern=pattern)
    aws("events").put_targets(Rule=function, Targets=[{"Id": "1", "Arn": arn}])
    aws("events").put_events(Entries=[{"Source": function, "DetailType": "t", "Detail": '{"x": 1}'}])

    def both() -> bool:
        try:
            lines = "\n".join(messages(aws, function))
        except aws("logs").exceptions.ResourceNotFoundException:
            return False
        return '"Message": "hello"' in lines and '"detail": {"x": 1}' in lines

    assert eventually(both)

"""Step Functions, schedules and alarms as their clients see them, by a clock that is sixty times as fast."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from stepweave.local_aws.environment import variables
from stepweave.local_aws.home import Home, Running
from stepweave.local_aws.process import down, up
from stepweave.local_aws.timing import CLOCK_PATH
from tests.local_aws.conftest import VENV, Client

pytestmark = pytest.mark.aws

ROLE = "arn:aws:iam::000000000000:role/test"
SPEED = 60.0
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("fast-aws"), VENV)


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[Running]:
    running = up(home, 0, SPEED)
    try:
        yield running
    finally:
        down(home)


@pytest.fixture(scope="module")
def client(server: Running) -> Client:
    given = variables(server.endpoint)
    session = boto3.Session(
        given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], None, given["AWS_REGION"]
    )

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=server.endpoint)

    create_role(client, ROLE.rpartition("/")[2], {"Effect": "Allow", "Action": "*", "Resource": "*"})
    return client


def create_role(client: Client, name: str, *statements: dict[str, Any]) -> str:
    """The ARN of a new role of Step Functions that allows this."""
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    for statement in statements:
        client("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(statement))
    return str(role)


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def eventually(look: Callable[[], Any]) -> Any:
    """What ``look`` gives once it gives something."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.05)
    return found


def deploy(client: Client, name: str, *states: dict[str, Any], **fields: Any) -> str:
    """The ARN of a new machine with these states, one after another."""
    last = len(states)
    named = {
        f"s{number}": {**state, **({"End": True} if number == last else {"Next": f"s{number + 1}"})}
        for number, state in enumerate(states, 1)
    }
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "s1", "States": named})
    created = client("stepfunctions").create_state_machine(
        name=name, definition=definition, roleArn=ROLE, **fields
    )
    return str(created["stateMachineArn"])


def ended(client: Client, arn: str) -> dict[str, Any]:
    def look() -> Any:
        answer = client("stepfunctions").describe_execution(executionArn=arn)
        return None if answer["status"] == "RUNNING" else answer

    found: dict[str, Any] = eventually(look)
    return found


def queue(client: Client, name: str) -> tuple[str, str]:
    """URL and ARN of a new queue."""
    url = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, attributes["QueueArn"]


def received(client: Client, url: str) -> list[str]:
    answer = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    for message in answer.get("Messages", ()):
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in answer.get("Messages", ())]


def create_function(client: Client, name: str, body: str) -> None:
    """A function whose handler has one line."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", f"def handler(event, context):\n    {body}\n")
    client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
    )


def set_clock(server: Running, **wish: Any) -> dict[str, Any]:
    data = json.dumps(wish).encode() if wish else None
    with urllib.request.urlopen(urllib.request.Request(server.endpoint + CLOCK_PATH, data)) as response:
        answer: dict[str, Any] = json.loads(response.read())
    return answer


def test_a_machine_calls_a_function_and_is_seen_in_events_metrics_and_logs(client: Client) -> None:
    create_function(client, "listed", "return [event]")
    group = "/aws/vendedlogs/states/seen"
    client("logs").create_log_group(logGroupName=group)
    log_arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "listed", "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
    }
    arn = deploy(
        client,
        "seen",
        call,
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": True,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": log_arn}}],
        },
    )
    url, queue_arn = queue(client, "seen")
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [arn]}}
    client("events").put_rule(Name="seen", EventPattern=json.dumps(pattern))
    transformer = {
        "InputPathsMap": {"status": "$.detail.status"},
        "InputTemplate": '{"status": <status>, "event": <aws.events.event.json>}',
    }
    target = {"Id": "q", "Arn": queue_arn, "InputTransformer": transformer}
    client("events").put_targets(Rule="seen", Targets=[target])

    execution = client("stepfunctions").start_execution(stateMachineArn=arn, name="one", input='{"a": 1}')[
        "executionArn"
    ]

    assert ended(client, execution)["output"] == '[{"a":1}]'
    told: list[dict[str, Any]] = []
    eventually(lambda: told.extend(map(json.loads, received(client, url))) or len(told) >= 2)
    assert sorted(message["status"] for message in told) == ["RUNNING", "SUCCEEDED"]  # a queue keeps no order
    assert {message["event"]["detail"]["executionArn"] for message in told} == {execution}
    streams = client("logs").describe_log_streams(logGroupName=group)["logStreams"]
    lines = [
        json.loads(event["message"])["type"]
        for stream in streams
        for event in client("logs").get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])[
            "events"
        ]
    ]
    history = client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    assert lines == [event["type"] for event in history]
    metrics = client("cloudwatch").list_metrics(Namespace="AWS/States")["Metrics"]
    assert {"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionTime"} <= {m["MetricName"] for m in metrics}


def test_a_machine_does_what_its_role_allows_and_nothing_else(client: Client) -> None:
    states, role = client("stepfunctions"), create_role(client, "narrow")
    child = deploy(client, "allowed-child", {"Type": "Pass"})
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution"}
    state = {**start, "Arguments": {"StateMachineArn": child}, "End": True}
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "s", "States": {"s": state}})
    arn = states.create_state_machine(name="narrow", definition=definition, roleArn=role)["stateMachineArn"]

    def run() -> dict[str, Any]:
        return ended(client, states.start_execution(stateMachineArn=arn)["executionArn"])

    refused = run()
    assert (refused["status"], refused["error"]) == ("FAILED", "StepFunctions.AccessDeniedException")
    assert "states:StartExecution on resource: " + child in refused["cause"]
    statement = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": child}
    client("iam").put_role_policy(RoleName="narrow", PolicyName="start", PolicyDocument=policy(statement))
    assert run()["status"] == "SUCCEEDED"


def test_a_history_comes_in_pages_from_either_end(client: Client) -> None:
    arn = deploy(client, "pages", *({"Type": "Pass"} for _ in range(60)))
    states = client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    ended(client, execution)
    pages = states.get_paginator("get_execution_history")

    forwards, backwards = (
        [
            event["id"]
            for page in pages.paginate(executionArn=execution, reverseOrder=reverse, maxResults=50)
            for event in page["events"]
        ]
        for reverse in (False, True)
    )

    assert forwards == list(range(1, 123))
    assert backwards == forwards[::-1]


def test_a_definition_that_step_functions_would_refuse_is_refused(client: Client) -> None:
    with pytest.raises(ClientError, match=r"InvalidDefinition.*no field Foo"):
        deploy(client, "wrong", {"Type": "Pass", "Foo": 1})


def test_a_stack_with_such_a_definition_is_rolled_back_and_says_why(client: Client) -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "a",
        "States": {"a": {"Type": "Pass", "Foo": 1, "End": True}},
    }
    properties = {"RoleArn": ROLE, "DefinitionString": json.dumps(definition)}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}

    stacks = client("cloudformation")
    stacks.create_stack(StackName="wrong", TemplateBody=json.dumps({"Resources": {"Machine": machine}}))

    def status() -> str:
        return str(stacks.describe_stacks(StackName="wrong")["Stacks"][0]["StackStatus"])

    eventually(lambda: status() == "ROLLBACK_COMPLETE")
    events = stacks.describe_stack_events(StackName="wrong")["StackEvents"]
    assert any("a Pass state has no field Foo" in event.get("ResourceStatusReason", "") for event in events)
    stacks.delete_stack(StackName="wrong")


def test_a_machine_in_jsonpath_still_runs(client: Client) -> None:
    definition = json.dumps({"StartAt": "a", "States": {"a": {"Type": "Pass", "Result": 5, "End": True}}})
    states = client("stepfunctions")
    arn = states.create_state_machine(name="path", definition=definition, roleArn=ROLE)["stateMachineArn"]

    assert ended(client, states.start_execution(stateMachineArn=arn)["executionArn"])["output"] == "5"


def test_what_a_function_logs_has_the_moment_of_the_clock(client: Client, server: Running) -> None:
    create_function(client, "speaks", "print('here')")
    moved = datetime.fromisoformat(set_clock(server, advance=7_200)["now"])
    client("lambda").invoke(FunctionName="speaks", Payload=b"{}")
    asked = {"logGroupName": "/aws/lambda/speaks", "startTime": int(moved.timestamp() * 1000)}
    events = client("logs").filter_log_events(**asked)["events"]
    assert "here" in [event["message"] for event in events]


def test_a_schedule_of_a_stack_fires_in_its_zone_when_the_clock_is_moved(
    client: Client, server: Running
) -> None:
    url, queue_arn = queue(client, "zoned")
    schedule = {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": "cron(0 6 1 * ? *)",
            "ScheduleExpressionTimezone": "Asia/Tokyo",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": queue_arn, "RoleArn": ROLE, "Input": "<aws.scheduler.scheduled-time>"},
        },
    }
    template = json.dumps({"Resources": {"Monthly": schedule}})
    client("cloudformation").create_stack(StackName="zoned", TemplateBody=template)
    client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="zoned", WaiterConfig={"Delay": 1}
    )

    year, month = map(int, set_clock(server)["now"][:7].split("-"))
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    # Six o'clock of the first day in Tokyo is nine o'clock of the evening before in UTC.
    set_clock(server, now=f"{following[0]}-{following[1]:02}-01T12:00:00Z")

    (body,) = eventually(lambda: received(client, url))
    assert body.endswith("T21:00:00Z")
    assert body < f"{following[0]}-{following[1]:02}"
    client("cloudformation").delete_stack(StackName="zoned")


def test_what_a_schedule_cannot_deliver_goes_to_its_dead_letter_queue(client: Client) -> None:
    url, queue_arn = queue(client, "letters")
    client("scheduler").create_schedule(
        Name="lost",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:lambda:us-east-1:000000000000:function:missing",
            "RoleArn": ROLE,
            "Input": '{"a": 1}',
            "DeadLetterConfig": {"Arn": queue_arn},
        },
    )

    assert eventually(lambda: received(client, url)) == ['{"a": 1}']
    client("scheduler").delete_schedule(Name="lost")


def test_rules_and_schedules_start_what_they_name(client: Client) -> None:
    url, queue_arn = queue(client, "named")
    machine = deploy(client, "named", {"Type": "Pass"})
    version = client("stepfunctions").publish_state_machine_version(stateMachineArn=machine)
    routes = [{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]
    alias = client("stepfunctions").create_state_machine_alias(name="live", routingConfiguration=routes)[
        "stateMachineAliasArn"
    ]
    topic = client("sns").create_topic(Name="named")["TopicArn"]
    client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"}
    )
    client("events").put_rule(Name="named", EventPattern=json.dumps({"source": ["test"]}))
    client("events").put_targets(
        Rule="named",
        Targets=[
            {"Id": "machine", "Arn": alias, "InputPath": "$.detail"},
            {"Id": "topic", "Arn": topic, "Input": '"to the topic"'},
            {"Id": "queue", "Arn": queue_arn, "Input": '"to the queue"'},
        ],
    )
    universal = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
        "RoleArn": ROLE,
        "Input": json.dumps({"QueueUrl": url, "MessageBody": "by any action"}),
    }
    client("scheduler").create_schedule(
        Name="named", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=universal
    )

    entry = {"Source": "test", "DetailType": "x", "Detail": '{"a": 1}'}
    client("events").put_events(Entries=[entry])

    told: list[str] = []
    eventually(lambda: told.extend(received(client, url)) or len(told) >= 3)
    assert sorted(told) == ['"to the queue"', '"to the topic"', "by any action"]
    listed = client("stepfunctions").list_executions(stateMachineArn=alias)["executions"]
    answer = ended(client, listed[0]["executionArn"])
    assert (answer["input"], answer["stateMachineAliasArn"]) == ('{"a": 1}', alias)


def test_messages_in_a_dead_letter_queue_raise_an_alarm(client: Client) -> None:
    url, _ = queue(client, "dead")
    client("cloudwatch").put_metric_alarm(
        AlarmName="dead",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "dead"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )

    def state() -> Any:
        return client("cloudwatch").describe_alarms(AlarmNames=["dead"])["MetricAlarms"][0]["StateValue"]

    eventually(lambda: state() == "OK")
    client("sqs").send_message(QueueUrl=url, MessageBody="x")
    eventually(lambda: state() == "ALARM")
    client("sqs").purge_queue(QueueUrl=url)
    assert eventually(lambda: state() == "OK")


def test_failed_executions_raise_an_alarm_that_tells_its_topic(client: Client) -> None:
    arn = client("stepfunctions").create_state_machine(
        name="failing",
        definition=json.dumps(
            {"QueryLanguage": "JSONata", "StartAt": "f", "States": {"f": {"Type": "Fail", "Error": "No"}}}
        ),
        roleArn=ROLE,
    )["stateMachineArn"]
    url, queue_arn = queue(client, "alarmed")
    topic = client("sns").create_topic(Name="alarmed")["TopicArn"]
    client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"}
    )
    client("cloudwatch").put_metric_alarm(
        AlarmName="failed",
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": arn}],
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
        OKActions=[topic],
    )

    client("stepfunctions").start_execution(stateMachineArn=arn)

    told: list[dict[str, Any]] = []
    eventually(lambda: told.extend(map(json.loads, received(client, url))) or len(told) >= 3)
    told.sort(key=lambda message: str(message["StateChangeTime"]))  # a queue keeps no order
    assert [message["NewStateValue"] for message in told[:3]] == ["OK", "ALARM", "OK"]


def test_the_clock_is_refused_what_makes_no_sense(server: Running) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        set_clock(server, now="2020-01-01T00:00:00Z")

    with refused.value as answer:
        assert (answer.code, b"only goes forward" in answer.read()) == (400, True)
    assert set_clock(server)["speed"] == SPEED


def test_executions_survive_the_server(client: Client, home: Home, server: Running) -> None:
    states = client("stepfunctions")
    slow = deploy(client, "slow", {"Type": "Wait", "Seconds": 300}, {"Type": "Pass", "Output": "late"})
    running, quick = (
        states.start_execution(stateMachineArn=arn, name="kept")["executionArn"]
        for arn in (slow, deploy(client, "quick", {"Type": "Pass"}))
    )
    ended(client, quick)

    down(home)
    up(home, server.port, SPEED)

    assert states.describe_execution(executionArn=quick)["status"] == "SUCCEEDED"
    assert len(states.get_execution_history(executionArn=quick)["events"]) == 4
    answer = ended(client, running)
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", '"late"')
    assert (answer["stopDate"] - answer["startDate"]).total_seconds() >= 300


def test_an_alias_of_a_stack_goes_over_step_by_step(client: Client, server: Running) -> None:
    def template(version: int) -> str:
        definition = {
            "QueryLanguage": "JSONata",
            "StartAt": "a",
            "States": {"a": {"Type": "Pass", "Output": version, "End": True}},
        }
        machine = {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "shifted",
                "RoleArn": ROLE,
                "DefinitionString": json.dumps(definition),
            },
        }
        published = {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
            },
        }
        preference = {
            "StateMachineVersionArn": {"Ref": f"Version{version}"},
            "Type": "CANARY",
            "Percentage": 50,
            "Interval": 120,
        }
        alias = {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {"Name": "live", "DeploymentPreference": preference},
        }
        return json.dumps({"Resources": {"Machine": machine, f"Version{version}": published, "Alias": alias}})

    stacks, states = client("cloudformation"), client("stepfunctions")
    stacks.create_stack(StackName="shifted", TemplateBody=template(1))
    stacks.get_waiter("stack_create_complete").wait(StackName="shifted", WaiterConfig={"Delay": 1})
    alias = "arn:aws:states:us-east-1:000000000000:stateMachine:shifted:live"

    def routes() -> list[tuple[str, int]]:
        answer = states.describe_state_machine_alias(stateMachineAliasArn=alias)
        return [
            (route["stateMachineVersionArn"][-1], route["weight"]) for route in answer["routingConfiguration"]
        ]

    assert routes() == [("1", 100)]
    stacks.update_stack(StackName="shifted", TemplateBody=template(2))
    stacks.get_waiter("stack_update_complete").wait(StackName="shifted", WaiterConfig={"Delay": 1})
    assert routes() == [("2", 50), ("1", 50)]
    set_clock(server, advance=120 * 60)
    eventually(lambda: routes() == [("2", 100)])
    started = states.start_execution(stateMachineArn=alias)["executionArn"]
    assert ended(client, started)["output"] == "2"
    stacks.delete_stack(StackName="shifted")

"""Machines for Task states: what they are called with, what they give, how they are tried again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.parity.cases import Case, Fails, case, passing, task

CAUGHT = ("caught", passing({"caught": "{% $states.input %}"}, End=True))


def catcher(*errors: str, to: str = "caught", **fields: Any) -> dict[str, Any]:
    """A catcher."""
    return {"ErrorEquals": list(errors), "Next": to, **fields}


def retrier(*errors: str, **fields: Any) -> dict[str, Any]:
    """A retrier."""
    return {"ErrorEquals": list(errors), **fields}


RESOURCES: dict[str, dict[str, Any]] = {
    "lambda:invoke": {"FunctionName": "f", "Payload": {"x": "{% 1 + 1 %}"}},
    "sqs:sendMessage": {"QueueUrl": "q", "MessageBody": "{% 'm' & 1 %}"},
    "sns:publish": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"},
    "dynamodb:getItem": {"TableName": "t", "Key": {"id": {"S": "{% $string(7) %}"}}},
    "events:putEvents": {"Entries": [{"Detail": {"a": 1}, "DetailType": "d", "Source": "s"}]},
    "batch:submitJob": {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"},
    "batch:submitJob.sync": {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"},
    "ecs:runTask.sync": {"TaskDefinition": "d", "Cluster": "c"},
    "states:startExecution": {"StateMachineArn": "m", "Input": {"a": "{% 1 %}"}},
    "states:startExecution.sync": {"StateMachineArn": "m", "Input": {}},
    "states:startExecution.sync:2": {"StateMachineArn": "m", "Input": {}},
    "aws-sdk:s3:getObject": {"Bucket": "b", "Key": "{% 'k' & 1 %}"},
    "aws-sdk:dynamodb:updateItem.waitForTaskToken": {"TableName": "t", "Key": {"id": {"S": "x"}}},
}


def arguments() -> Iterator[Case]:
    """Arguments, Output and Assign."""
    yield case(
        "task with arguments",
        ("t", task({"a": "{% $states.input.x %}", "b": [1, "{% $states.input.y %}"], "c": "text"})),
        inputs=({"x": 1, "y": None}, {"x": {}, "y": []}),
    )
    yield case(
        "task whose arguments are one expression",
        ("t", task(Arguments="{% {'FunctionName': 'f', 'Payload': $merge([$states.input, {'z': 1}])} %}")),
        inputs=({"x": 1}, {}),
    )
    yield case(
        "task output reads the result",
        ("t", task(Output={"r": "{% $states.result.v %}", "i": "{% $states.input %}"})),
        inputs=(1,),
        answers={"t": {"v": [1]}},
    )
    yield case(
        "task assigns from the result",
        ("t", task(Assign={"v": "{% $states.result.v %}"})),
        ("b", passing("{% [$v, $states.input.v] %}")),
        answers={"t": {"v": 5}},
    )
    for name, value in {
        "null": None,
        "text": "x",
        "a number": 1.5,
        "false": False,
        "an array": [],
        "an object": {"a": {"b": []}},
    }.items():
        yield case(
            f"task gives {name}", ("t", task()), ("b", passing(["{% $states.input %}"])), answers={"t": value}
        )
    yield case(
        "task with comment and timeouts", ("t", task(Comment="c", TimeoutSeconds=60, HeartbeatSeconds=10))
    )
    yield case(
        "task with computed timeouts",
        ("t", task(TimeoutSeconds="{% $states.input.t %}", HeartbeatSeconds="{% $states.input.t - 1 %}")),
        inputs=({"t": 60},),
    )


def resources() -> Iterator[Case]:
    """Resources of all kinds, and their tokens."""
    for resource, fields in RESOURCES.items():
        yield case(
            f"task of {resource}",
            ("t", task(Resource=f"arn:aws:states:::{resource}", Arguments=fields)),
            answers={"t": {"ok": 1}},
        )
    message = {"has": "{% $length($states.context.Task.Token) > 0 %}"}
    token: dict[str, Any] = {"QueueUrl": "q", "MessageBody": message}
    yield case(
        "task with a token",
        ("t", task(Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken", Arguments=token)),
        answers={"t": {"back": 1}},
    )
    yield case(
        "task whose token is failed",
        (
            "t",
            task(
                Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                Arguments=token,
                Catch=[catcher("Refused")],
            ),
        ),
        CAUGHT,
        answers={"t": Fails("Refused")},
    )
    yield case(
        "a task without a token has none", ("t", task(Output="{% $exists($states.context.Task.Token) %}"))
    )


RETRY_FIELDS: dict[str, dict[str, Any]] = {
    "nothing else": {},
    "MaxAttempts 0": {"MaxAttempts": 0},
    "MaxAttempts 1": {"MaxAttempts": 1},
    "MaxAttempts 5": {"MaxAttempts": 5},
    "IntervalSeconds": {"IntervalSeconds": 7},
    "BackoffRate": {"BackoffRate": 1.5},
    "MaxDelaySeconds": {"IntervalSeconds": 3, "MaxDelaySeconds": 4},
    "JitterStrategy": {"JitterStrategy": "FULL"},
    "no jitter": {"JitterStrategy": "NONE"},
    "all fields": {
        "IntervalSeconds": 1,
        "BackoffRate": 1.0,
        "MaxAttempts": 2,
        "MaxDelaySeconds": 5,
        "JitterStrategy": "FULL",
        "Comment": "c",
    },
}


def retries() -> Iterator[Case]:
    """Retry with all its fields."""
    for name, values in RETRY_FIELDS.items():
        for failures in (1, 4):
            yield case(
                f"retry with {name} after {failures}",
                ("t", task(Retry=[retrier("E", **values)])),
                answers={"t": (Fails("E"),) * failures + (9,)},
            )
    yield case(
        "retry not for another error", ("t", task(Retry=[retrier("Other")])), answers={"t": Fails("E")}
    )
    yield case(
        "retry for one of several names",
        ("t", task(Retry=[retrier("A", "E", "B")])),
        answers={"t": (Fails("E"), Fails("B"), 3)},
    )
    two = [retrier("A", MaxAttempts=1), retrier("B", MaxAttempts=2)]
    for order in ("AB", "BA", "BBA", "ABB", "AA", "BBB", "ABAB"):
        yield case(
            f"two retriers count on their own: {order}",
            ("t", task(Retry=two)),
            answers={"t": (*(Fails(error) for error in order), 1)},
        )
    yield case(
        "a retrier that is used up hides the next",
        ("t", task(Retry=[retrier("A", MaxAttempts=1), retrier("States.ALL", MaxAttempts=5)])),
        answers={"t": (Fails("A"), Fails("A"), 1)},
    )
    yield case(
        "retry none before retry all",
        ("t", task(Retry=[retrier("A", MaxAttempts=0), retrier("States.ALL")])),
        answers={"t": (Fails("B"), Fails("A"), 1)},
    )


def attempts() -> Iterator[Case]:
    """What an attempt sees, and which failures are tried again."""
    yield case(
        "retry count in the arguments",
        ("t", task({"n": "{% $states.context.State.RetryCount %}"}, Retry=[retrier("States.ALL")])),
        answers={"t": Fails("E")},
    )
    yield case(
        "retry count in the output",
        ("t", task(Output="{% $states.context.State.RetryCount %}", Retry=[retrier("States.ALL")])),
        answers={"t": (Fails("E"), Fails("F"), 1)},
    )
    yield case(
        "retries start anew when the state is entered again",
        ("t", task(Retry=[retrier("E", MaxAttempts=1)], Output="{% $states.context.State.RetryCount %}")),
        ("u", passing(Assign={"n": "{% $exists($n) ? $n + 1 : 1 %}"})),
        ("c", {"Type": "Choice", "Choices": [{"Condition": "{% $n < 2 %}", "Next": "t"}], "Default": "z"}),
        ("z", passing()),
        answers={"t": (Fails("E"), 1, Fails("E"), 2)},
    )
    yield case(
        "retry of a failed argument",
        ("t", task({"a": "{% $states.input.no %}"}, Retry=[retrier("States.QueryEvaluationError")])),
    )
    yield case(
        "retry of a failed output calls again",
        ("t", task(Output="{% $states.result.v %}", Retry=[retrier("States.QueryEvaluationError")])),
        answers={"t": ({}, {}, {"v": 1})},
    )
    yield case(
        "retry of a failed assign calls again",
        ("t", task(Assign={"v": "{% $states.result.v %}"}, Retry=[retrier("States.ALL")])),
        answers={"t": ({}, {"v": 1})},
    )
    yield case(
        "retry, then catch",
        ("t", task(Retry=[retrier("E", MaxAttempts=2)], Catch=[catcher("E")])),
        CAUGHT,
        answers={"t": Fails("E", "at last")},
    )


CASES = (*arguments(), *resources(), *retries(), *attempts())

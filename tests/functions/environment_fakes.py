"""What functions speak to in tests: a records table in moto with atomic writes, and Step Functions by its rules."""

# ruff: noqa: N803 (the parameters of boto3)

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:stepweave-dev-sales"
ALIAS = f"{MACHINE}:live"
CLEANUP = f"{MACHINE}--cleanup:3"
STARTER = "arn:aws:lambda:eu-central-1:123456789012:function:stepweave-dev-sales--starter:live"
TABLE = "stepweave-dev-records"
BEGAN = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


@dataclass
class LambdaContext:
    """What Lambda hands to a handler besides the event."""

    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:function"
    aws_request_id: str = "request-1"
    milliseconds: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def create_table(client: Any, name: str = TABLE) -> None:
    """The records table as the platform makes it."""
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in ("pk", "sk", "day", "started")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_day",
                "KeySchema": [
                    {"AttributeName": "day", "KeyType": "HASH"},
                    {"AttributeName": "started", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def take_slot(client: Any, execution: str, since_ms: int = 0, dag: str = "sales") -> None:
    """``execution`` (a name) has a slot of its DAG from now on."""
    client.update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"DAG#{dag}"}, "sk": {"S": "SLOTS"}},
        UpdateExpression="ADD active :names SET #since = :since",
        ExpressionAttributeNames={"#since": f"t#{execution}"},
        ExpressionAttributeValues={":names": {"SS": [execution]}, ":since": {"N": str(since_ms // 1000)}},
    )


@contextmanager
def records_table(patch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a DynamoDB in this process, in which there is the table."""
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    patch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        create_table(_client())
        yield Atomic(_client())


@functools.cache
def _client() -> Any:
    """The one client: making it takes longer than most tests."""
    return boto3.client("dynamodb")


class Atomic:
    """A client of DynamoDB of which each call is atomic, as the service promises and moto, in threads, does not.

    ``dying``: names of operations after which the caller dies, each once.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self.exceptions = client.exceptions
        self.dying: list[str] = []

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            with self._lock:
                answer = operation(**arguments)
            if name in self.dying:
                self.dying.remove(name)
                raise DiedError(name)
            return answer

        return call


class DiedError(Exception):
    """The function was killed."""


@dataclass
class StepFunctions:
    """Executions by name: one name is started once, and the same name and input of a running one is the same one."""

    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    """ARNs, in order; each once."""
    refusals: list[Exception] = field(default_factory=list)
    """What the next calls of StartExecution raise before anything is started."""
    losses: list[Exception] = field(default_factory=list)
    """What they raise after it was."""
    clock: datetime = BEGAN
    versions: dict[str, dict[int, tuple[datetime, str]]] = field(default_factory=dict)
    """Of machines, by ARN and number: when it was published, and its definition."""
    aliases: dict[str, list[int]] = field(default_factory=dict)
    """Numbers to which an alias of a machine leads, by its ARN."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    class exceptions:  # noqa: N801 (boto3's name)
        ClientError = ClientError

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:
        with self._lock:
            if self.refusals:
                raise self.refusals.pop(0)
            machine = ":".join(stateMachineArn.split(":")[:7])
            arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
            found = self.executions.get(arn)
            if found is not None and (found["status"] != "RUNNING" or found["input"] != input):
                raise refused("ExecutionAlreadyExists")
            if found is None:
                self.executions[arn] = found = {
                    "executionArn": arn,
                    "stateMachineArn": machine,
                    "name": name,
                    "status": "RUNNING",
                    "startDate": self.clock,
                    "input": input,
                    "redriveCount": 0,
                }
                self.started.append(arn)
            if self.losses:
                raise self.losses.pop(0)
            return {"executionArn": arn, "startDate": found["startDate"]}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        if executionArn not in self.executions:
            raise refused("ExecutionDoesNotExist")
        return dict(self.executions[executionArn])

    def list_executions(self, *, stateMachineArn: str, maxResults: int) -> dict[str, Any]:
        found = [
            {key: value for key, value in one.items() if key != "input"}
            for one in self.executions.values()
            if one["stateMachineArn"] == stateMachineArn
        ]
        return {"executions": found[-maxResults:]}

    def list_state_machine_versions(self, *, stateMachineArn: str) -> dict[str, Any]:
        return {
            "stateMachineVersions": [
                {"stateMachineVersionArn": f"{stateMachineArn}:{number}", "creationDate": published}
                for number, (published, _) in sorted(self.versions.get(stateMachineArn, {}).items())
            ]
        }

    def describe_state_machine_alias(self, *, stateMachineAliasArn: str) -> dict[str, Any]:
        if stateMachineAliasArn not in self.aliases:
            raise refused("ResourceNotFound")
        machine = ":".join(stateMachineAliasArn.split(":")[:7])
        numbers = self.aliases[stateMachineAliasArn]
        return {"routingConfiguration": [{"stateMachineVersionArn": f"{machine}:{one}"} for one in numbers]}

    def describe_state_machine(self, *, stateMachineArn: str) -> dict[str, Any]:
        machine, _, number = stateMachineArn.rpartition(":")
        if int(number) not in self.versions.get(machine, {}):
            raise refused("StateMachineDoesNotExist")
        return {"definition": self.versions[machine][int(number)][1]}

    def delete_state_machine_version(self, *, stateMachineVersionArn: str) -> None:
        machine, _, number = stateMachineVersionArn.rpartition(":")
        if any(
            int(number) in self.aliases[alias] for alias in self.aliases if alias.startswith(machine + ":")
        ):
            raise refused("ConflictException")
        del self.versions[machine][int(number)]

    def end(
        self, arn: str, status: str = "SUCCEEDED", when: datetime | None = None, **told: Any
    ) -> dict[str, Any]:
        """The execution ends; the detail of the event that says so."""
        self.executions[arn] |= {"status": status, "stopDate": when or self.clock, **told}
        return detail(self.executions[arn])


def refused(code: str) -> ClientError:
    """An error of a service."""
    return ClientError({"Error": {"Code": code, "Message": code}}, "Operation")


def detail(execution: dict[str, Any]) -> dict[str, Any]:
    """The detail of a status event of an execution as it is now."""
    found = {key: value for key, value in execution.items() if key not in ("startDate", "stopDate")}
    for name in ("startDate", "stopDate"):
        moment = execution.get(name)
        found[name] = None if moment is None else round(moment.timestamp() * 1000)
    return {**found, "inputDetails": {"included": True}}


@dataclass
class Topic:
    """A client of SNS that keeps what is published."""

    published: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, **message: Any) -> dict[str, str]:
        self.published.append(message)
        return {"MessageId": str(len(self.published))}


@dataclass
class Bus:
    """A client of EventBridge that keeps what is put; with ``failing`` it takes nothing."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    failing: bool = False

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.failing:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Throttled", "ErrorMessage": "later"}]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}


@dataclass
class Functions:
    """A client of Lambda that keeps what is invoked, and of each function the versions and aliases."""

    invoked: list[tuple[str, Any]] = field(default_factory=list)
    versions: dict[str, dict[int, datetime]] = field(default_factory=dict)
    """Of functions, by name and number: when it was published."""
    aliases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """Functions that are listed and were deleted since."""

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:
        self.invoked.append((FunctionName, json.loads(Payload)))
        return {"StatusCode": 202}

    def list_functions(self, *, Marker: str = "") -> dict[str, Any]:
        """Pages of two, as there are pages of fifty."""
        names = sorted({*self.versions, *self.gone})
        first = int(Marker or 0)
        more = {"NextMarker": str(first + 2)} if len(names) > first + 2 else {}
        return {"Functions": [{"FunctionName": name} for name in names[first : first + 2]], **more}

    def list_versions_by_function(self, *, FunctionName: str) -> dict[str, Any]:
        if FunctionName in self.gone:
            raise refused("ResourceNotFoundException")
        shown = {"$LATEST": BEGAN, **self.versions[FunctionName]}
        return {
            "Versions": [
                {"Version": str(number), "LastModified": f"{moment:%Y-%m-%dT%H:%M:%S.000}+0000"}
                for number, moment in shown.items()
            ]
        }

    def list_aliases(self, *, FunctionName: str) -> dict[str, Any]:
        return {"Aliases": self.aliases.get(FunctionName, [])}

    def delete_function(self, *, FunctionName: str, Qualifier: str) -> None:
        del self.versions[FunctionName][int(Qualifier)]

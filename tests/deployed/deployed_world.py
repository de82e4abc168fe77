"""A deployed environment for tests: parameters and records as AWS keeps them, everything else as the test says."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stepweave.deployed import deployment
from stepweave.deployed.environment import DeployedDag, Platform
from stepweave.deployed.names import dag_parameter, machine_name, platform_parameter
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import DeployedStatus, ExecutionState, RunFacts, RunTable
from tests.functions.environment_fakes import create_table

REGION = "eu-central-1"
TABLE = "stepweave-dev-records"
EXECUTION = f"arn:aws:states:{REGION}:123456789012:execution"


@dataclass
class FakeLambda:
    """Functions by ARN; each answers an event, or raises what the function's error is called and says."""

    functions: dict[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert InvocationType == "RequestResponse"
        event = json.loads(Payload)
        self.asked.append((FunctionName, event))
        try:
            return {"Payload": io.BytesIO(json.dumps(self.functions[FunctionName](event)).encode())}
        except FunctionFailed as error:
            said = {"errorType": error.kind, "errorMessage": error.message}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(said).encode())}


class FunctionFailed(Exception):
    """A deployed function raises an error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


@dataclass
class FakeLogs:
    """CloudWatch Logs with the filter patterns of equal members: ``{ $.run = "r" && $.attempt = 0 }``."""

    groups: dict[str, list[tuple[str, int, str]]] = field(default_factory=dict)
    """Stream, milliseconds and text of each line, by group."""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def filter_log_events(self, logGroupName: str, **asked: Any) -> dict[str, Any]:  # noqa: N803
        self.asked.append({"logGroupName": logGroupName, **asked})
        if logGroupName not in self.groups:
            raise client_error("ResourceNotFoundException", "The specified log group does not exist.")
        found = [
            {
                "eventId": f"{stream}-{number}",
                "logStreamName": stream,
                "timestamp": at,
                "message": f"{text}\n",
            }
            for number, (stream, at, text) in enumerate(self.groups[logGroupName])
            if asked["startTime"] <= at <= asked.get("endTime", at)
            and stream in asked.get("logStreamNames", [stream])
            and fits(text, asked.get("filterPattern"))
        ]
        # Two lines a page, as a real answer has some pages.
        begin = int(asked.get("nextToken", "0"))
        page: dict[str, Any] = {"events": found[begin : begin + 2]}
        return page | ({"nextToken": str(begin + 2)} if begin + 2 < len(found) else {})


def fits(text: str, pattern: str | None) -> bool:
    """Whether a line has the members that a pattern names."""
    if pattern is None:
        return True
    try:
        members = json.loads(text)
    except ValueError:
        return False
    wanted = re.findall(r'\$\.(\w+) = ("(?:[^"\\]|\\.)*"|\d+)', pattern)
    return all(members.get(name) == json.loads(value) for name, value in wanted)


def client_error(code: str, message: str) -> Exception:
    """An error of AWS."""
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@dataclass
class World:
    """The environment ``dev``."""

    store: str
    ssm: Any
    dynamodb: Any
    region: str = REGION
    functions: FakeLambda = field(default_factory=FakeLambda)
    logs: FakeLogs = field(default_factory=FakeLogs)
    step_functions: Any = None

    def client(self, service: str) -> Any:
        return {
            "ssm": self.ssm,
            "dynamodb": self.dynamodb,
            "lambda": self.functions,
            "logs": self.logs,
            "stepfunctions": self.step_functions,
            "sts": boto3.client("sts", region_name=REGION),
        }[service]

    @property
    def runs(self) -> RunTable:
        """The records."""
        return RunTable(self.dynamodb, TABLE)

    @property
    def queue(self) -> RunQueue:
        """Runs that wait."""
        return RunQueue(self.dynamodb, TABLE)

    def deploy_platform(self, env: str = "dev") -> None:
        """Describe a platform."""
        platform = Platform(
            env=env, store=self.store, table=TABLE, approvals_function=f"approvals-{env}:live"
        )
        self.ssm.put_parameter(Name=platform_parameter(env), Value=platform.to_json(), Type="String")

    def deploy(self, dag: str, *, machines: tuple[str, ...] = (), code_version: str = "") -> DeployedDag:
        """Describe a deployed DAG."""
        arn = f"arn:aws:states:{REGION}:123456789012:stateMachine"
        deployed = DeployedDag(
            dag=dag,
            machine=f"{arn}:{machine_name('dev', dag)}:live",
            machines={name: f"{arn}:{name}" for name in machines},
            starter=f"{dag}-starter:live",
            code_version=code_version,
            task_log_group=f"/stepweave/dev/{dag}/tasks",
            job_log_group=f"/stepweave/dev/{dag}/jobs",
        )
        self.ssm.put_parameter(
            Name=dag_parameter("dev", dag), Value=deployed.to_json(), Type="String", Overwrite=True
        )
        return deployed

    def record(
        self,
        dag: str,
        run_id: str,
        status: DeployedStatus = "success",
        *,
        started: datetime | None = None,
        seconds: float = 60.0,
        execution: str = "",
        params: str | None = None,
        error: str = "",
        code_version: str = "",
    ) -> None:
        """Note a run."""
        began = started or datetime.now(UTC)
        began_ms = int(began.timestamp() * 1000)
        self.runs.tell(
            ExecutionState(
                dag=dag,
                run_id=run_id,
                execution=execution or f"{EXECUTION}:{machine_name('dev', dag)}:{run_id}",
                status=status,
                started_ms=began_ms,
                ended_ms=None if status == "running" else began_ms + int(seconds * 1000),
                error=error,
            ),
            RunFacts(params=params, code_version=code_version or None),
        )


@contextmanager
def deployed_world(store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The environment ``dev`` without a DAG, which every command now finds."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        create_table(dynamodb, TABLE)
        world = World(store, boto3.client("ssm", region_name=REGION), dynamodb)
        world.deploy_platform()
        monkeypatch.setattr(deployment, "connect", lambda env: world)
        yield world

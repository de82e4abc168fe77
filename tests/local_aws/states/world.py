"""A Step Functions of its own for a test: deployed machines, functions and jobs that are Python, a fast clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from stepweave.engine.integrations.activity import Activities
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.objects import Objects
from stepweave.engine.tokens import Tokens
from stepweave.local_aws.clock import LayerClock
from stepweave.local_aws.states.api import Api
from stepweave.local_aws.states.engines import World
from stepweave.local_aws.states.entry import Entry
from stepweave.local_aws.states.permissions import Allowed
from stepweave.local_aws.states.service import States
from stepweave.local_aws.states.shelf import Shelf
from stepweave.local_aws.states.wiring import Neighbours, integrations

ACCOUNT, REGION = "000000000000", "us-east-1"
HEAD = f"arn:aws:states:{REGION}:{ACCOUNT}"


def machine_arn(name: str) -> str:
    return f"{HEAD}:stateMachine:{name}"


def execution_arn(machine: str, name: str) -> str:
    return f"{HEAD}:execution:{machine}:{name}"


def definition(*states: dict[str, Any], **fields: Any) -> str:
    """A machine of these states, ``s1`` to ``sn``, one after another."""
    named = {}
    for number, state in enumerate(states, 1):
        ends = state["Type"] in ("Succeed", "Fail") or "Next" in state or "End" in state
        follows = {} if ends else ({"End": True} if number == len(states) else {"Next": f"s{number + 1}"})
        named[f"s{number}"] = {**state, **follows}
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": "s1", "States": named, **fields})


def invoke(function: str, payload: Any = "{% $states.input %}", **fields: Any) -> dict[str, Any]:
    """A state that calls a function; its result is the function's."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload},
        "Output": "{% $states.result.Payload %}",
        **fields,
    }


@dataclass(frozen=True)
class Answer:
    payload: bytes
    function_error: str | None = None
    executed_version: str = "$LATEST"


@dataclass
class Functions:
    """Lambda: Python functions by name or ARN; an exception is an error of its class."""

    known: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    called: list[tuple[str, Any, str]] = field(default_factory=list)

    def invoke(self, function_ref: str, payload: bytes, qualifier: str = "") -> Answer:
        event = json.loads(payload)
        self.called.append((function_ref, event, qualifier))
        if function_ref not in self.known:
            raise Refused("ResourceNotFoundException", f"Function not found: {function_ref}")
        try:
            return Answer(json.dumps(self.known[function_ref](event)).encode())
        except Exception as error:
            described = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return Answer(json.dumps(described).encode(), "Unhandled")

    def invoke_later(self, function_ref: str, payload: bytes, qualifier: str = "") -> None:
        self.called.append((function_ref, json.loads(payload), qualifier))


class Refused(Exception):
    """What Lambda or Batch refuses."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


@dataclass
class Jobs:
    """Batch: jobs that end when a test says so."""

    submitted: list[dict[str, Any]] = field(default_factory=list)
    terminated: list[tuple[str, str]] = field(default_factory=list)
    waiting: dict[str, Callable[[dict[str, Any]], None]] = field(default_factory=dict)
    on_wait: Callable[[str], None] = field(default=lambda job: None)
    refusal: Refused | None = None

    def submit(self, request: dict[str, Any]) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.submitted.append(request)
        return f"job-{len(self.submitted)}"

    def describe(self, job_id: str) -> dict[str, Any]:
        return {"jobId": job_id, "jobArn": f"arn:job/{job_id}", "jobName": "job", "status": "SUBMITTED"}

    def terminate(self, job_id: str, reason: str) -> None:
        self.terminated.append((job_id, reason))

    def when_ended(self, job_id: str, callback: Callable[[dict[str, Any]], None]) -> None:
        self.waiting[job_id] = callback
        self.on_wait(job_id)

    def end(self, job_id: str, status: str = "SUCCEEDED", **more: Any) -> None:
        self.waiting[job_id](self.describe(job_id) | {"status": status} | more)


@dataclass
class Told:
    """Outlets that remember."""

    changes: list[tuple[str, str, str]] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def started(self, entry: Entry) -> None:
        self.changes.append((entry.name, "started", entry.status))

    def ended(self, entry: Entry) -> None:
        self.changes.append((entry.name, "ended", entry.status))

    def happened(self, entry: Entry, events: Sequence[dict[str, Any]]) -> None:
        self.events.setdefault(entry.name, []).extend(events)


@dataclass
class Registry:
    machines: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    aliases: dict[str, Any] = field(default_factory=dict)

    def deploy(self, name: str, text: str, **fields: Any) -> str:
        """The ARN of a machine, new or updated."""
        arn = machine_arn(name)
        self.machines[arn] = {
            "stateMachineArn": arn,
            "name": name,
            "definition": text,
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "type": "STANDARD",
            **fields,
        }
        return arn

    def publish(self, name: str) -> str:
        """The ARN of a new version of a machine."""
        machine = self.machines[machine_arn(name)]
        number = 1 + sum(
            version["stateMachineArn"] == machine_arn(name) for version in self.versions.values()
        )
        arn = f"{machine_arn(name)}:{number}"
        self.versions[arn] = dict(machine)
        return arn

    def alias(self, name: str, alias: str, **weights: int) -> str:
        """The ARN of an alias; ``weights`` by version: ``v1=90, v2=10``."""
        arn = f"{machine_arn(name)}:{alias}"
        routes = [
            {"stateMachineVersionArn": f"{machine_arn(name)}:{version[1:]}", "weight": weight}
            for version, weight in weights.items()
        ]
        self.aliases[arn] = {"stateMachineAliasArn": arn, "name": alias, "routingConfiguration": routes}
        return arn


class Local:
    """Everything together."""

    def __init__(
        self,
        folder: Path,
        *,
        speed: float = 1000.0,
        registry: Registry | None = None,
        objects: Objects | None = None,
        allowed: Allowed = lambda role, action, resource: True,
    ) -> None:
        self.clock = LayerClock(speed=speed)
        self.registry = registry or Registry()
        self.functions, self.jobs, self.told = Functions(), Jobs(), Told()
        self.activities = Activities()
        neighbours = Neighbours(
            functions=self.functions,
            jobs=self.jobs,
            services=AwsServices(),
            activities=self.activities,
            allowed=allowed,
        )
        world = World(
            clock=self.clock,
            account=ACCOUNT,
            region=REGION,
            integrations=integrations(neighbours, lambda: self.states, lambda: self.clock.speed),
            objects=objects,
            tokens=Tokens(),
        )
        self.states = States(world, self.registry, Shelf(folder), self.told, Random(0))
        self.api = Api(self.states)

    async def ask(self, action: str, **request: Any) -> dict[str, Any]:
        """The answer of the API."""
        return await self.api.actions[action](request)

    async def ended(self, arn: str) -> dict[str, Any]:
        """DescribeExecution's answer when the execution has ended."""
        await self.states.wait(arn)
        return await self.ask("DescribeExecution", executionArn=arn)

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """What ``main`` gives, run in the clock's time."""
        return self.clock.run(main)

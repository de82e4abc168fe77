"""What executions use of this server: Lambda, what is deployed, EventBridge, CloudWatch and its logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch, eventbridge, stepfunctions

from stepweave.local_aws.layer import logs
from stepweave.local_aws.layer.clients import client
from stepweave.local_aws.layer.lambdas import invoking
from stepweave.local_aws.layer.scope import local_account
from stepweave.local_aws.states.execution_metrics import Sample


class ServerFunctions:
    """Lambda of this server."""

    @staticmethod
    def invoke(function_ref: str, payload: bytes, qualifier: str = "") -> invoking.Invoked:
        return invoking.invoke(function_ref, payload, qualifier)

    @staticmethod
    def invoke_later(function_ref: str, payload: bytes, qualifier: str = "") -> None:
        more = {"Qualifier": qualifier} if qualifier else {}
        client("lambda").invoke(FunctionName=function_ref, Payload=payload, InvocationType="Event", **more)


class ServerRegistry:
    """The state machines that are deployed here."""

    machines: Mapping[str, Any] = stepfunctions._state_machines
    versions: Mapping[str, Any] = stepfunctions._state_machine_versions
    aliases: Mapping[str, Any] = stepfunctions._state_machine_aliases


class ServerServices:
    """EventBridge, CloudWatch and CloudWatch Logs of this server."""

    @staticmethod
    def put_event(event: dict[str, Any]) -> None:
        with local_account():
            eventbridge._put_events({"Entries": [event]}, allow_aws_source=True)

    @staticmethod
    def record(namespace: str, sample: Sample) -> None:
        with local_account():
            cloudwatch.record_metric(
                namespace, sample.name, sample.value, sample.unit, dict(sample.dimensions)
            )

    @staticmethod
    def write(group: str, stream: str, lines: Sequence[str], at_ms: int) -> None:
        logs.write(group, stream, lines, at_ms)

"""What executions use of this server: Lambda, what is deployed, roles, EventBridge, CloudWatch and its logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import cloudwatch, eventbridge, iam, stepfunctions

from stepweave.local_aws.home import ACCOUNT, REGION
from stepweave.local_aws.layer import logs
from stepweave.local_aws.layer.clients import client
from stepweave.local_aws.layer.lambdas import invoking
from stepweave.local_aws.layer.scope import local_account
from stepweave.local_aws.layer.seams import Seam
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


def allowed(role_arn: str, action: str, resource: str) -> bool:
    """Whether the policies of a role allow an action; of a role that nobody deployed here, everything."""
    role = role_arn.rpartition("/")[2]
    with local_account():
        if iam._roles.get(role) is None:
            return True
        context = iam_evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/stepweave",
            principal_type="AssumedRole",
            principal_account=ACCOUNT,
            action=action,
            resource_arn=resource,
            region=REGION,
        )
        policies = iam_evaluator._gather_role_policies(role, ACCOUNT)
        limits = iam_evaluator._permissions_boundary(iam._roles, role, ACCOUNT)
        return bool(iam_evaluator.evaluate(context, policies, *limits).decision == "Allow")


_EVALUATOR = "ministack.core.iam_evaluator"
SEAMS = (
    Seam(_EVALUATOR, "EvalContext"),
    Seam(_EVALUATOR, "_gather_role_policies", ("role_name", "account_id")),
    Seam(_EVALUATOR, "_permissions_boundary", ("store", "name", "account_id")),
    Seam(_EVALUATOR, "evaluate", ("ctx", "policies", "limits")),
    Seam("ministack.services.iam", "_roles"),
)

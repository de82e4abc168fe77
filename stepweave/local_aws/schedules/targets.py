"""`LocalTargets`: what rules and schedules bring payloads to, in this server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch, lambda_svc, sqs, stepfunctions

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.errors import DefinitionError
from stepweave.local_aws.layer.batch.part import jobs
from stepweave.local_aws.layer.clients import client
from stepweave.local_aws.layer.scope import local_account
from stepweave.local_aws.schedules.delivering import Delivery, Undelivered
from stepweave.local_aws.schedules.records import ATTEMPT
from stepweave.local_aws.states.calls import lower_camel

_UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
_AGAIN = ("Throttl", "TooManyRequests", "ServiceUnavailable", "InternalFailure", "InternalError")
"""Beginnings of the codes of errors that may not come the next time."""
_NAMESPACES = {"scheduler": "AWS/Scheduler", "events": "AWS/Events"}


class LocalTargets:
    """By the service in the target's ARN."""

    def __init__(self, services: AwsServices) -> None:
        self._services = services
        self._senders: Mapping[str, Callable[[str, str, Mapping[str, Any]], None]] = {
            "lambda": self._invoke,
            "states": self._start,
            "sqs": self._queue,
            "sns": self._publish,
            "events": self._put_event,
            "batch": self._submit,
        }

    def send(self, delivery: Delivery, attempt: int) -> None:
        """Bring a payload to its target; raises ``Undelivered``."""
        arn = str(delivery.target.get("Arn"))
        payload = delivery.payload.replace(ATTEMPT, str(attempt))
        try:
            if arn.startswith(_UNIVERSAL):
                self._call(arn.removeprefix(_UNIVERSAL), payload)
                return
            sender = self._senders.get(arn.split(":")[2] if arn.count(":") > 2 else "")
            if sender is None:
                raise Undelivered("UnsupportedTarget", f"nothing is brought to {arn} here", again=False)
            with local_account():
                sender(arn, payload, delivery.target)
        except Undelivered:
            raise
        except Exception as error:
            code = _code(error)
            raise Undelivered(code, str(error), again=code.startswith(_AGAIN)) from error

    def bury(self, queue: str, body: str, attributes: Mapping[str, str]) -> None:
        """Put a message into a dead-letter queue."""
        client("sqs").send_message(
            QueueUrl=_url(queue),
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value[:1024]}
                for name, value in attributes.items()
            },
        )

    def count(self, source: str, metric: str, dimensions: Mapping[str, str]) -> None:
        """Add one to a metric."""
        with local_account():
            cloudwatch.record_metric(_NAMESPACES[source], metric, 1, "Count", dict(dimensions))

    @staticmethod
    def _invoke(arn: str, payload: str, target: Mapping[str, Any]) -> None:
        known, _, name = lambda_svc._get_func_record_for_ref(arn)
        if not known:
            raise Undelivered("ResourceNotFoundException", f"Function not found: {name}", again=False)
        client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=payload.encode())

    @staticmethod
    def _start(arn: str, payload: str, target: Mapping[str, Any]) -> None:
        status, _, body = stepfunctions._start_execution({"stateMachineArn": arn, "input": payload})
        if status >= 400:
            refusal = json.loads(body)
            code = str(refusal.get("__type", "")).rpartition("#")[2]
            raise Undelivered(code, str(refusal.get("message", "")), again=code.startswith(_AGAIN))

    @staticmethod
    def _queue(arn: str, payload: str, target: Mapping[str, Any]) -> None:
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        more = {} if group is None else {"MessageGroupId": group}
        client("sqs").send_message(QueueUrl=_url(arn), MessageBody=payload, **more)

    @staticmethod
    def _publish(arn: str, payload: str, target: Mapping[str, Any]) -> None:
        client("sns").publish(TopicArn=arn, Message=payload)

    @staticmethod
    def _put_event(arn: str, payload: str, target: Mapping[str, Any]) -> None:
        given = target.get("EventBridgeParameters") or {}
        answer = client("events").put_events(
            Entries=[
                {
                    "EventBusName": arn,
                    "Source": given.get("Source", "aws.scheduler"),
                    "DetailType": given.get("DetailType", "Scheduled Event"),
                    "Detail": payload,
                }
            ]
        )
        for entry in answer["Entries"]:
            if "ErrorCode" in entry:
                raise Undelivered(entry["ErrorCode"], entry.get("ErrorMessage", ""), again=False)

    @staticmethod
    def _submit(arn: str, payload: str, target: Mapping[str, Any]) -> None:
        given = lower_camel(target.get("BatchParameters") or {})
        request = {
            "jobName": given.get("jobName"),
            "jobDefinition": given.get("jobDefinition"),
            "jobQueue": arn,
        }
        more = {name: given[name] for name in ("arrayProperties", "retryStrategy") if name in given}
        parameters = _object(payload).get("Parameters")
        jobs().submit(request | more | ({"parameters": parameters} if isinstance(parameters, dict) else {}))

    def _call(self, name: str, payload: str) -> None:
        """Call any action of any service."""
        service, _, action = name.partition(":")
        try:
            self._services.run(self._services.action(service, action), service, _object(payload))
        except DefinitionError as error:
            raise Undelivered("ValidationException", str(error), again=False) from error
        except StateError as error:
            code = str(error.error).partition(".")[2]
            raise Undelivered(code, str(error.cause), again=code.startswith(_AGAIN)) from error


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _url(queue: str) -> str:
    """The URL of a queue by its ARN; raises ``Undelivered`` when there is none."""
    found = sqs._queue_by_arn(queue)
    if not found:
        raise Undelivered("AWS.SimpleQueueService.NonExistentQueue", f"no queue {queue}", again=False)
    *_, account, name = queue.split(":")
    return str(client("sqs").get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"])


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return str(response.get("Error", {}).get("Code"))
    return str(getattr(error, "code", type(error).__name__))

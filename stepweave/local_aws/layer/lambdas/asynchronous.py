"""Asynchronous calls of a function: retries, age, and where an event goes that failed for good.

Also what calls functions asynchronously on AWS, and once and for all in ministack: rules of EventBridge and topics
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html).
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import eventbridge, lambda_svc, sns

from stepweave.local_aws.layer.clients import client
from stepweave.local_aws.layer.scope import local_account
from stepweave.local_aws.layer.seams import Seam

SEAMS = (
    Seam("ministack.services.lambda_svc", "invoke_async_with_retry", ("func", "event")),
    Seam("ministack.services.lambda_svc", "_event_invoke_config", ("func", "qualifier")),
    Seam("ministack.services.lambda_svc", "_get_base_func_record_for_ref", ("function_ref",)),
    Seam("ministack.services.lambda_svc", "_get_func_record_for_ref", ("function_ref",)),
    Seam("ministack.services.lambda_svc", "_execution_record_for_config", ("func", "config")),
    Seam("ministack.services.eventbridge", "_dispatch_to_lambda", ("arn", "payload")),
    Seam(
        "ministack.services.sns",
        "_deliver_to_lambda",
        ("endpoint", "envelope", "topic_arn", "sub_arn", "msg_id", "raw_message", "message_attributes"),
    ),
)

FIRST_WAIT_SECONDS = 1.0
"""Before the second attempt; the next wait is twice as long. On AWS it is a minute; nobody wants to wait that long."""
MAX_AGE_SECONDS = 21_600
"""Default of ``MaximumEventAgeInSeconds``."""
RETRIES = 2
"""Default of ``MaximumRetryAttempts``."""

_log = logging.getLogger("stepweave.lambda")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What becomes of an event whose function fails."""

    retries: int
    max_age_seconds: float
    destination: str
    """ARN that gets a record of the failed call; "" for none."""
    dead_letters: str
    """ARN of the queue or topic that gets the event itself; "" for none."""


def policy(config: Mapping[str, Any], invoke_config: Mapping[str, Any]) -> Policy:
    """The policy of a function, from its configuration and its event invoke configuration."""
    on_failure = (invoke_config.get("DestinationConfig") or {}).get("OnFailure") or {}
    retries = invoke_config.get("MaximumRetryAttempts")
    return Policy(
        retries=RETRIES if retries is None else int(retries),
        max_age_seconds=float(invoke_config.get("MaximumEventAgeInSeconds") or MAX_AGE_SECONDS),
        destination=on_failure.get("Destination") or "",
        dead_letters=(config.get("DeadLetterConfig") or {}).get("TargetArn") or "",
    )


def install() -> None:
    """Take the place of ministack's functions."""
    lambda_svc.invoke_async_with_retry = invoke_later
    eventbridge._dispatch_to_lambda = lambda arn, payload: _call(arn, json.loads(payload))
    sns._deliver_to_lambda = _notify


def invoke_later(func: Mapping[str, Any], event: Any) -> None:
    """Call a function asynchronously; returns at once."""
    threading.Thread(target=_attempts, args=(func, event), daemon=True).start()


def _notify(
    endpoint: str,
    envelope: str,
    topic_arn: str,
    sub_arn: str,
    msg_id: str,
    raw_message: str,
    message_attributes: object,
) -> None:
    """Call the function that subscribed to a topic."""
    record = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns"}
    _call(endpoint, {"Records": [{**record, "Sns": json.loads(envelope)}]})


def _call(function_ref: str, event: Any) -> None:
    record, config, name = lambda_svc._get_func_record_for_ref(function_ref)
    if not record or not config:
        _log.warning("an event for function %s, which does not exist, is lost", name)
        return
    called = {**config, "FunctionArn": function_ref} if function_ref.startswith("arn:") else config
    invoke_later(lambda_svc._execution_record_for_config(record, called), event)


def _attempts(func: Mapping[str, Any], event: Any) -> None:
    config = func.get("config") or func
    arn = str(config["FunctionArn"])
    with local_account():
        base, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
        qualifier = arn.split(":")[7] if arn.count(":") == 7 else None
        rules = policy(config, lambda_svc._event_invoke_config(base or {}, qualifier) or {})
        started = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            result = lambda_svc._execute_function(func, event)
            wait = FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
            if not result.get("error"):
                return
            late = time.monotonic() - started + wait > rules.max_age_seconds
            # A throttled call is tried again until the event is too old, whatever the number of retries.
            if late or (attempt > rules.retries and not result.get("throttle")):
                break
            time.sleep(min(wait, 60.0))
        _bury(rules, arn, event, result, attempt)


def _bury(rules: Policy, arn: str, event: Any, result: Mapping[str, Any], attempts: int) -> None:
    error = result.get("body") or {}
    if rules.destination:
        record = {
            "version": "1.0",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "requestContext": {
                "requestId": error.get("requestId", ""),
                "functionArn": arn,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": attempts,
            },
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "responsePayload": error,
        }
        _send(rules.destination, json.dumps(record), {})
    if rules.dead_letters:
        attributes = {
            "RequestID": str(error.get("requestId", "")),
            "ErrorCode": "200",
            "ErrorMessage": str(error.get("errorMessage", ""))[:1024],
        }
        _send(rules.dead_letters, json.dumps(event), attributes)


def _send(target: str, body: str, attributes: Mapping[str, str]) -> None:
    typed = {name: {"DataType": "String", "StringValue": value or "-"} for name, value in attributes.items()}
    service = target.split(":")[2]
    if service == "sqs":
        url = client("sqs").get_queue_url(QueueName=target.split(":")[-1])["QueueUrl"]
        client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed)
    elif service == "sns":
        client("sns").publish(TopicArn=target, Message=body, MessageAttributes=typed)
    elif service == "lambda":
        _call(target, json.loads(body))
    elif service == "events":
        entry = {
            "Source": "lambda",
            "DetailType": "Lambda Function Invocation Result - Failure",
            "Detail": body,
        }
        client("events").put_events(Entries=[{**entry, "EventBusName": target.split("/")[-1]}])

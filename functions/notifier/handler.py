"""Lambda function that hands what SNS delivers to Slack and PagerDuty.

PagerDuty is told of the topic ``page`` alone, and first, as it knows a repeated event by its key: after a failure
Lambda delivers the whole event again, and what it still cannot deliver goes to the function's dead-letter queue.

Environment: ``STEPWEAVE_ENV``, ``STEPWEAVE_TOPICS`` (JSON: ARNs by kind), ``STEPWEAVE_NOTIFY_SECRET``: name of a secret
with ``{"slack_webhook"?, "pagerduty_key"?, "pagerduty_url"?}``; without it nobody is told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.notifier.messages import read
from functions.notifier.payloads import pager_duty, slack
from functions.shared.environment import environment_name, topics
from functions.shared.secrets import secret_json
from stepweave.errors import UsageError

PAGER_DUTY = "https://events.pagerduty.com/v2/enqueue"
"""Events API v2; accounts in Europe have another address (``pagerduty_url`` of the secret)."""
_TIMEOUT_SECONDS = 10.0

logger = Logger(service="notifier")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """How many messages were handed on."""
    name = os.environ.get("STEPWEAVE_NOTIFY_SECRET", "")
    secret = secret_json(name) if name else {}
    sent = 0
    for record in event["Records"]:
        kind = _kind(record["Sns"]["TopicArn"])
        sent += notify(record["Sns"], kind, secret, environment_name(), post)
    logger.info("notified", extra={"sent": sent, "records": len(event["Records"])})
    return {"sent": sent}


def notify(
    message: Mapping[str, Any],
    kind: str,
    secret: Mapping[str, str],
    environment: str,
    send: Callable[[str, Mapping[str, Any]], None],
) -> int:
    """How many were told of one notification of the topic ``kind``."""
    alert = read(message["Message"], message.get("Subject"))
    sent = 0
    if kind == "page" and secret.get("pagerduty_key"):
        body = pager_duty(alert, secret["pagerduty_key"], environment)
        send(secret.get("pagerduty_url") or PAGER_DUTY, body)
        sent += 1
    if secret.get("slack_webhook"):
        send(secret["slack_webhook"], slack(alert))
        sent += 1
    return sent


def post(url: str, body: Mapping[str, Any]) -> None:
    """Send ``body`` as JSON; raises ``OSError`` unless it was taken."""
    if urlsplit(url).scheme not in ("https", "http"):
        raise UsageError(
            "an address in the secret of the notifier is none of a web server; expected https://…"
        )
    data = json.dumps(body, ensure_ascii=False).encode()
    request = Request(url, data=data, headers={"Content-Type": "application/json"}, method="POST")
    with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
        answer.read()


def _kind(topic: str) -> str:
    """``warn``, ``page`` or ``ask``; a topic that is not known is a warning."""
    return next((kind for kind, arn in topics().items() if arn == topic), "warn")

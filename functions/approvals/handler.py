"""Lambda function behind approvals: it keeps what is asked until a person has decided, then lets the run go on.

Called by state machines (with a task token, or when the time is over), by the HTTP API, and for people with
``{"run": {"dag", "id", "index"?}, "task", "answer": {"approved", "by", "comment"?}}``; IAM says who may call it. A
decision that cannot be made is answered with ``{"error": {"type", "message"}}``.

Environment: ``STEPWEAVE_STORE``, ``STEPWEAVE_TABLE``, ``STEPWEAVE_ENV``; so that people are asked by mail
``STEPWEAVE_ASK_TOPIC``, and so that they can answer by link ``STEPWEAVE_APPROVALS_URL`` and ``STEPWEAVE_LINK_SECRET``.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.approvals.deciding import Approvals, Asking
from functions.approvals.link_table import LinkTable
from functions.approvals.web import answer_web
from functions.shared.environment import client, environment_name, required, store_url, table_name
from functions.shared.secrets import CURRENT, PREVIOUS, secret
from stepweave.errors import UsageError
from stepweave.runtime.dynamodb_gates import StepFunctionsTokens
from stepweave.stores.objects import open_store
from stepweave.stores.run_table import RunTable

logger = Logger(service="approvals")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The decision, the record of an approval whose time is over, whether a request was answered at once, or a page."""
    approvals, links = _parts(environment_name(), store_url(), table_name())
    if "requestContext" in event:
        answer = answer_web(event, approvals, links, _accepted)
        # Not the path: whoever has it may decide.
        method = event["requestContext"]["http"]["method"]
        logger.info("page", extra={"method": method, "status": answer["statusCode"]})
        return answer
    run = event["run"]
    logger.append_keys(dag=run["dag"], run=run["id"], task=event["task"])
    # Never the event itself: a task token lets whoever holds it answer for the task.
    if "answer" in event:
        try:
            decision = approvals.decide(event)
        except UsageError as error:
            # An answer and no failure of the function, of which people are told at night.
            logger.warning("refused", extra={"error": str(error)})
            return {"error": {"type": "UsageError", "message": str(error)}}
        logger.info("decided", extra={"approved": decision["approved"], "by": decision["by"]})
        return dict(decision)
    if "decide" in event:
        logger.info("time is over", extra={"decision": event["decide"]})
        return dict(approvals.time_over(event))
    logger.info("asked", extra={"approvers": event.get("approvers"), "level": event.get("level")})
    return {"answered": approvals.ask(event)}


def _link_secret() -> str:
    return required("STEPWEAVE_LINK_SECRET", "the name of the secret with which links are signed")


def _signing() -> str:
    found = secret(_link_secret())
    if not found:
        raise UsageError("the secret with which links are signed is empty; give it a random text")
    return found


def _accepted() -> list[str]:
    found = (secret(_link_secret(), CURRENT), secret(_link_secret(), PREVIOUS))
    return [text for text in found if text]


@functools.lru_cache(maxsize=1)
def _parts(env: str, store: str, table: str) -> tuple[Approvals, LinkTable]:
    """Store, tables and clients, opened once per execution environment."""
    dynamodb = client("dynamodb")
    links = LinkTable(dynamodb, table)
    topic, url = os.environ.get("STEPWEAVE_ASK_TOPIC", ""), os.environ.get("STEPWEAVE_APPROVALS_URL", "")
    asking = Asking(topic=topic, url=url, secret=_signing, sns=client("sns")) if topic else None
    approvals = Approvals(
        env,
        store=open_store(store),
        tokens=StepFunctionsTokens(client("stepfunctions")),
        runs=RunTable(dynamodb, table),
        links=links,
        asking=asking,
    )
    return approvals, links

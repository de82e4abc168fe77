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
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.approvals.asking import Asking
from functions.approvals.deciding import Answer, Decisions
from functions.approvals.link_table import LinkTable
from functions.approvals.signed_links import SignedLinks
from functions.approvals.web import answer_web
from functions.shared.environment import client, environment_name, store_url, table_name
from stepweave.errors import UsageError
from stepweave.runtime.approvals import ApprovalEvent, pending, prefix_of, request, settle
from stepweave.runtime.dynamodb_gates import StepFunctionsTokens
from stepweave.stores.objects import ObjectStore, open_store
from stepweave.stores.run_table import RunTable

logger = Logger(service="approvals")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What the function works with."""

    store: ObjectStore
    tokens: StepFunctionsTokens
    links: SignedLinks
    decisions: Decisions
    asking: Asking | None
    """None where nobody is sent a question; it is found by ``stepweave show``."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The decision, the record of an approval whose time is over, whether a request was answered at once, or a page."""
    parts = _parts(environment_name(), store_url(), table_name())
    if "requestContext" in event:
        answer = answer_web(event, parts.decisions, parts.links)
        # Not the path: whoever has it may decide.
        method = event["requestContext"]["http"]["method"]
        logger.info("page", extra={"method": method, "status": answer["statusCode"]})
        return answer
    run = event["run"]
    logger.append_keys(dag=run["dag"], run=run["id"], task=event["task"])
    # Never the event itself: a task token lets whoever holds it answer for the task.
    if "answer" in event:
        return _decided(event, parts.decisions)
    if "decide" in event:
        logger.info("time is over", extra={"decision": event["decide"]})
        return dict(settle(cast(ApprovalEvent, event), parts.store))
    logger.info("asked", extra={"approvers": event.get("approvers"), "level": event.get("level")})
    return {"answered": _asked(cast(ApprovalEvent, event), parts)}


def _decided(event: Mapping[str, Any], decisions: Decisions) -> dict[str, Any]:
    """The decision of somebody who may call this function."""
    run, given = event["run"], event["answer"]
    said = Answer(approved=given["approved"], by=given["by"], comment=given.get("comment", ""))
    try:
        decision = decisions.decide(run["dag"], run["id"], event["task"], run.get("index", ""), said)
    except UsageError as error:
        # An answer and no failure of the function, of which people are told at night.
        logger.warning("refused", extra={"error": str(error)})
        return {"error": {"type": "UsageError", "message": str(error)}}
    logger.info("decided", extra={"approved": decision["approved"], "by": decision["by"]})
    return dict(decision)


def _asked(event: ApprovalEvent, parts: _Parts) -> bool:
    """Whether the question was answered at once, because there is a decision; else people are asked."""
    if request(event, parts.store, parts.tokens):
        return True
    if parts.asking is not None and (asked := pending(parts.store, prefix_of(event))) is not None:
        parts.asking.publish(asked, time.time())
    return False


@functools.lru_cache(maxsize=1)
def _parts(env: str, store: str, table: str) -> _Parts:
    """Store, tables and clients, opened once per execution environment."""
    dynamodb, tokens = client("dynamodb"), StepFunctionsTokens(client("stepfunctions"))
    links = SignedLinks(
        table=LinkTable(dynamodb, table),
        url=os.environ.get("STEPWEAVE_APPROVALS_URL", ""),
        secret=os.environ.get("STEPWEAVE_LINK_SECRET", ""),
    )
    opened, topic = open_store(store), os.environ.get("STEPWEAVE_ASK_TOPIC", "")
    return _Parts(
        store=opened,
        tokens=tokens,
        links=links,
        decisions=Decisions(opened, tokens, RunTable(dynamodb, table)),
        asking=Asking(env=env, topic=topic, sns=client("sns"), links=links) if topic else None,
    )

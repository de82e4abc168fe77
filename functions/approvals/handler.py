"""Lambda function behind approvals: it keeps what is asked until a person has decided, then lets the run go on.

Called by state machines (with a task token, or when the time is over), and for people with
``{"run": {"dag", "id", "index"?}, "task", "answer": {"approved", "by", "comment"?}}``; IAM says who may call it.

Environment: ``STEPWEAVE_STORE`` (``s3://bucket/prefix``).
"""

from __future__ import annotations

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from stepweave.errors import UsageError
from stepweave.runtime.approvals import answer, decide, prefix_of, request, settle
from stepweave.runtime.dynamodb_gates import StepFunctionsTokens
from stepweave.runtime.rendezvous import TaskTokens
from stepweave.stores.objects import ObjectStore, open_store

STORE_VARIABLE = "STEPWEAVE_STORE"

logger = Logger(service="approvals")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The decision, the record of an approval whose time is over, or whether a request was answered at once."""
    run = event["run"]
    logger.append_keys(dag=run["dag"], run=run["id"], task=event["task"])
    store, tokens = _ports(os.environ.get(STORE_VARIABLE, ""))
    # Never the event itself: a task token lets whoever holds it answer for the task.
    if "answer" in event:
        said = event["answer"]
        prefix = prefix_of(event)
        decision = decide(store, prefix, said["approved"], said["by"], said.get("comment", ""))
        told = answer(store, prefix, tokens)
        logger.info("decided", extra={"approved": decision["approved"], "by": decision["by"], "told": told})
        return dict(decision)
    if "decide" in event:
        logger.info("time is over", extra={"decision": event["decide"]})
        return dict(settle(event, store))  # type: ignore[arg-type]
    logger.info("asked", extra={"approvers": event.get("approvers"), "level": event.get("level")})
    return {"answered": request(event, store, tokens)}  # type: ignore[arg-type]


@functools.lru_cache(maxsize=1)
def _ports(url: str) -> tuple[ObjectStore, TaskTokens]:
    """Store and tokens, opened once per execution environment."""
    if not url:
        raise UsageError(f"the environment variable {STORE_VARIABLE} is not set; expected s3://bucket/prefix")
    return open_store(url), StepFunctionsTokens(boto3.client("stepfunctions"))

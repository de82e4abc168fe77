"""Lambda function behind the gates of a DAG: branches that wait for others, without polling.

Environment: ``STEPWEAVE_TABLE``, the DynamoDB table with the string key ``pk`` and time to live on ``expires``.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from stepweave.errors import UsageError
from stepweave.runtime.dynamodb_gates import DynamoDbGates, StepFunctionsTokens
from stepweave.runtime.rendezvous import GateTable, TaskTokens, rendezvous

TABLE_VARIABLE = "STEPWEAVE_TABLE"

logger = Logger(service="rendezvous")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[str]]:
    """``{"opened": [gate…]}``: the gates that this event completed."""
    logger.append_keys(run=event["run"])
    opened = rendezvous(event, *_ports(os.environ.get(TABLE_VARIABLE, "")))
    # Never the event itself: a task token lets whoever holds it answer for the task.
    logger.info("rendezvous", extra={"gate": event.get("gate"), "signals": event.get("gates"), **opened})
    return opened


@functools.lru_cache(maxsize=1)
def _ports(table: str) -> tuple[GateTable, TaskTokens]:
    """Table and tokens, their clients made once per execution environment."""
    if not table:
        raise UsageError(
            f"the environment variable {TABLE_VARIABLE} is not set; expected the name of the gate table"
        )
    return DynamoDbGates(boto3.client("dynamodb"), table), StepFunctionsTokens(boto3.client("stepfunctions"))

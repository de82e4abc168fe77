"""Lambda function behind the gates of a DAG: branches that wait for others, without polling.

Environment: ``STEPWEAVE_TABLE``, the records table: string keys ``pk`` and ``sk``, time to live on ``expires``.
"""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.shared.environment import client, table_name
from stepweave.runtime.dynamodb_gates import DynamoDbGates, StepFunctionsTokens
from stepweave.runtime.rendezvous import GateTable, TaskTokens, rendezvous

logger = Logger(service="rendezvous")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[str]]:
    """``{"opened": [gate…]}``: the gates that this event completed."""
    logger.append_keys(run=event["run"])
    opened = rendezvous(event, *_ports(table_name()))
    # Never the event itself: a task token lets whoever holds it answer for the task.
    logger.info("rendezvous", extra={"gate": event.get("gate"), "signals": event.get("gates"), **opened})
    return opened


@functools.lru_cache(maxsize=1)
def _ports(table: str) -> tuple[GateTable, TaskTokens]:
    """Table and tokens, their clients made once per execution environment."""
    return DynamoDbGates(client("dynamodb"), table), StepFunctionsTokens(client("stepfunctions"))

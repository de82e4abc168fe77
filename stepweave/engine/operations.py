"""What is told of executions: the answers of DescribeExecution and ListExecutions.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
"""

from __future__ import annotations

from typing import Any

from stepweave.engine.execution import Execution
from stepweave.engine.payload import to_text

REDRIVABLE_SECONDS = 14 * 24 * 3600
"""How long after its end an execution may be redriven:
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html."""
REDRIVABLE_EVENTS = 24_999
"""An execution with as many events cannot be redriven, same page."""


def description(execution: Execution, now: float) -> dict[str, Any]:
    """DescribeExecution's answer; times are seconds since the epoch."""
    answer: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started_at,
        "input": to_text(execution.input),
        "inputDetails": {"included": True},
        "redriveCount": execution.redrive_count,
    }
    if execution.stopped_at is not None:
        answer["stopDate"] = execution.stopped_at
    if execution.status == "SUCCEEDED":
        answer |= {"output": to_text(execution.output), "outputDetails": {"included": True}}
    for field in ("error", "cause"):
        if (text := getattr(execution, field)) is not None:
            answer[field] = text
    if execution.map_run is not None:
        answer["mapRunArn"] = execution.map_run
    if execution.redriven_at is not None:
        answer["redriveDate"] = execution.redriven_at
    reason = why_not_redrivable(execution, now)
    answer["redriveStatus"] = "NOT_REDRIVABLE" if reason else "REDRIVABLE"
    return {**answer, "redriveStatusReason": reason} if reason else answer


def summary(execution: Execution) -> dict[str, Any]:
    """An item of ListExecutions' answer."""
    item: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started_at,
        "redriveCount": execution.redrive_count,
    }
    if execution.stopped_at is not None:
        item["stopDate"] = execution.stopped_at
    if execution.map_run is not None:
        item["mapRunArn"] = execution.map_run
    if execution.redriven_at is not None:
        item["redriveDate"] = execution.redriven_at
    return item


def why_not_redrivable(execution: Execution, now: float) -> str | None:
    """Why ``execution`` cannot be redriven; None when it can."""
    if execution.status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {execution.status} and cannot be redriven"
    if execution.express:
        return "Execution is of a state machine of type EXPRESS and cannot be redriven"
    if len(execution.history) >= REDRIVABLE_EVENTS:
        return "Execution history event limit exceeded"
    if execution.stopped_at is not None and now - execution.stopped_at > REDRIVABLE_SECONDS:
        return "Execution has exceeded the redrivable period"
    return None

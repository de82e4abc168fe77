"""`status_event`: what EventBridge is told when an execution starts or ends.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

from __future__ import annotations

import json
from typing import Any

from stepweave.local_aws.states.entry import Entry

SOURCE = "aws.states"
DETAIL_TYPE = "Step Functions Execution Status Change"

DATA_BYTES = 248 * 1024
"""Largest input and output together that an event carries (same page: an event holds 256 KB)."""


def status_event(entry: Entry, now: float) -> dict[str, Any]:
    """The entry of PutEvents for an execution as it is now."""
    return {
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Detail": json.dumps(_detail(entry, now), ensure_ascii=False),
        "Resources": [entry.arn],
    }


def _detail(entry: Entry, now: float) -> dict[str, Any]:
    reason = entry.why_not_redrivable(now)
    running = entry.status == "RUNNING"
    detail: dict[str, Any] = {
        "executionArn": entry.arn,
        "stateMachineArn": entry.revision.machine_arn,
        "name": entry.name,
        "status": entry.status,
        "startDate": _milliseconds(entry.started_at),
        "stopDate": _milliseconds(entry.stopped_at),
        "input": entry.input,
        "output": entry.output,
        "inputDetails": {"included": True},
        "outputDetails": None if entry.output is None else {"included": True},
        "stateMachineVersionArn": entry.revision.version_arn,
        "stateMachineAliasArn": entry.revision.alias_arn,
        "redriveCount": entry.redrive_count,
        "redriveDate": _milliseconds(entry.redriven_at),
        "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE",
        "redriveStatusReason": reason if running or reason else None,
        "error": entry.error,
        "cause": entry.cause,
    }
    room = DATA_BYTES
    for field in ("input", "output"):
        text = detail[field]
        if text is None:
            continue
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > room:
            detail[field], detail[f"{field}Details"] = None, {"included": False}
        else:
            room -= size
    return detail


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)

"""`describe` and `history`: executions as Step Functions tells of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stepweave.deployed.connecting import Clients
from stepweave.deployed.explaining import code_of, explained
from stepweave.stores.run_table import STATUS_OF, DeployedStatus

_MISSING = ("ExecutionDoesNotExist", "StateMachineDoesNotExist")
PAGE_EVENTS = 1000
"""Most events of one answer:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as it is now. Times are seconds since the epoch."""

    arn: str
    machine: str
    """ARN of its state machine."""
    status: DeployedStatus
    """What it is called of a run."""
    started_at: float
    ended_at: float | None = None
    error: str = ""
    cause: str = ""
    input: Any = None
    redrives: int = 0


def describe(aws: Clients, arn: str) -> Execution:
    """The execution ``arn``; AWS allows 15 such calls a second
    (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
    """
    with explained(f"looking at the execution {arn}"):
        said = aws.client("stepfunctions").describe_execution(executionArn=arn)
    stopped = said.get("stopDate")
    return Execution(
        arn=arn,
        machine=str(said["stateMachineArn"]),
        status=STATUS_OF.get(str(said["status"]), "failed"),
        started_at=said["startDate"].timestamp(),
        ended_at=stopped.timestamp() if stopped is not None else None,
        error=str(said.get("error") or ""),
        cause=str(said.get("cause") or ""),
        input=json.loads(said.get("input") or "{}"),
        redrives=int(said.get("redriveCount") or 0),
    )


def exists(aws: Clients, arn: str) -> bool:
    """Whether there is such an execution."""
    with explained(f"looking for the execution {arn}"):
        try:
            aws.client("stepfunctions").describe_execution(executionArn=arn)
        except ClientError as error:
            if code_of(error) not in _MISSING:
                raise
            return False
    return True


def history(aws: Clients, arn: str, after: int = 0) -> list[dict[str, Any]]:
    """The events of an execution with ids above ``after``, in order.

    Where some are known already, the newest are asked for first, so that following a long execution costs a call
    each time, not the whole history.
    """
    client = aws.client("stepfunctions")
    wanted = {
        "executionArn": arn,
        "maxResults": PAGE_EVENTS,
        "includeExecutionData": True,
        "reverseOrder": after > 0,
    }
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        with explained(f"reading the history of {arn}"):
            page = client.get_execution_history(**wanted, **more)
        found += [event for event in page["events"] if event["id"] > after]
        known = after > 0 and any(event["id"] <= after for event in page["events"])
        if known or not page.get("nextToken"):
            return sorted(found, key=lambda event: event["id"])
        more = {"nextToken": page["nextToken"]}


def children_of_map(aws: Clients, map_run: str, limit: int, status: str | None = None) -> list[str]:
    """ARNs of at most ``limit`` executions of a distributed map, the newest first; of one ``status`` if given."""
    wanted: dict[str, Any] = {"mapRunArn": map_run, "maxResults": min(limit, PAGE_EVENTS)}
    if status is not None:
        wanted["statusFilter"] = status
    found: list[str] = []
    while len(found) < limit:
        with explained(f"listing the executions of {map_run}"):
            page = aws.client("stepfunctions").list_executions(**wanted)
        found += [str(each["executionArn"]) for each in page["executions"]]
        if not page.get("nextToken"):
            break
        wanted["nextToken"] = page["nextToken"]
    return found[:limit]

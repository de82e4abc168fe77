"""What Step Functions says of an execution, by an event or when it is asked → what the records table is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from stepweave.errors import TASKS_FAILED
from stepweave.stores.run_table import STATUS_OF, ExecutionState

_FAILED = re.compile(r"failed: ([^;]*)")
"""Cause with which the state machine of a DAG ends (``stepweave.asl.endings.dag``)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def state_of(dag: str, run_id: str, found: Mapping[str, Any]) -> ExecutionState:
    """The state that ``found`` tells of: the detail of an event, or the answer of DescribeExecution."""
    return ExecutionState(
        dag=dag,
        run_id=run_id,
        execution=found["executionArn"],
        status=STATUS_OF[found["status"]],
        started_ms=milliseconds(found["startDate"]) or 0,
        ended_ms=milliseconds(found.get("stopDate")),
        redrives=int(found.get("redriveCount") or 0),
        error=": ".join(part for part in (found.get("error"), found.get("cause")) if part),
        failed=failed_tasks(found.get("error"), found.get("cause")),
    )


def failed_tasks(error: str | None, cause: str | None) -> frozenset[str]:
    """Ids of the tasks with which the failure of a run began; empty when it did not fail because of tasks.

    >>> sorted(failed_tasks("DagRunFailed", "failed: load, train; not undone: copy"))
    ['load', 'train']
    """
    named = _FAILED.match(cause or "") if error == TASKS_FAILED else None
    return frozenset(name.strip() for name in named[1].split(",") if name.strip()) if named else frozenset()


def input_of(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """The input of the execution; None when it is not told, or is no object."""
    try:
        given = json.loads(found.get("input") or "null")
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


def milliseconds(moment: Any) -> int | None:
    """Milliseconds since the epoch; events have numbers, boto3 gives datetimes."""
    if moment is None:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1) if isinstance(moment, datetime) else int(moment)

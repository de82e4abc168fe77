"""`log_lines`: the events of an execution as they are written to the log group of its machine.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from stepweave.local_aws.states.api import without_data
from stepweave.local_aws.states.entry import Entry
from stepweave.local_aws.states.machines import Level

FATAL = frozenset(("ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"))
"""What level FATAL logs."""
ERROR = FATAL | {
    "ActivityFailed", "ActivityScheduleFailed", "ActivityTimedOut", "EvaluationFailed", "FailStateEntered",
    "LambdaFunctionFailed", "LambdaFunctionScheduleFailed", "LambdaFunctionStartFailed", "LambdaFunctionTimedOut",
    "MapIterationAborted", "MapIterationFailed", "MapRunAborted", "MapRunFailed", "MapStateAborted", "MapStateFailed",
    "ParallelStateAborted", "ParallelStateFailed", "TaskFailed", "TaskStartFailed", "TaskStateAborted",
    "TaskSubmitFailed", "TaskTimedOut", "WaitStateAborted",
}  # fmt: skip
"""What level ERROR logs."""


def log_lines(entry: Entry, events: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Milliseconds since the epoch and the text of each line that the machine's level lets through."""
    logging = entry.revision.logging
    return [
        (int(event["timestamp"] * 1000), _line(entry, event if logging.with_data else without_data(event)))
        for event in events
        if _logged(str(event["type"]), logging.level)
    ]


def stream_of(entry: Entry) -> str:
    """The log stream of an execution: a new one every hour for each machine."""
    hour = datetime.fromtimestamp(entry.started_at, UTC).strftime("%Y-%m-%d-%H")
    return f"states/{entry.revision.name}/{hour}-00"


def _logged(kind: str, level: Level) -> bool:
    match level:
        case "ALL":
            return True
        case "ERROR":
            return kind in ERROR
        case "FATAL":
            return kind in FATAL
        case "OFF":
            return False


def _line(entry: Entry, event: Mapping[str, Any]) -> str:
    details: Any = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    line = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "redrive_count": str(entry.redrive_count),
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(int(event["timestamp"] * 1000)),
        "execution_arn": entry.arn,
    }
    return json.dumps(line, ensure_ascii=False)

"""`MapRun`: one run of a distributed map: its items in batches, and how far they are.

AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from stepweave.engine.execution import Execution
from stepweave.engine.place import EMBEDDED, Place

MAP_RUN_NOTE = "~MapRun"
"""A map run has its items: data is :meth:`MapRun.note`."""

MapRunStatus: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "ABORTED"]

_COUNTS = (
    "pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten",
    "failuresNotRedrivable", "pendingRedrive",
)  # fmt: skip
DISTRIBUTED_CONCURRENCY = 10_000
"""Child executions at once: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""
_UNLIMITED = 2**31 - 1
"""What DescribeMapRun says of a map without a limit of its own."""

_COUNT_OF = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}


@dataclass(slots=True, kw_only=True, eq=False)
class MapRun:
    """Read it; the engine alone changes it."""

    id: str
    """A UUID."""
    machine: str
    """Name of the children's machine: ``MACHINE/LABEL``."""
    execution: str
    """Name of the execution whose Map it is."""
    parent_machine: str
    batches: tuple[tuple[Any, int], ...] = field(repr=False)
    """Input of each child, and how many items it holds."""
    max_concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    started_at: float
    """Seconds since the epoch."""
    status: MapRunStatus = "RUNNING"
    stopped_at: float | None = None
    redrive_count: int = 0
    results_written: int = 0
    place: Place = field(default=EMBEDDED, repr=False)

    @property
    def limited(self) -> bool:
        """Whether the definition limits how many children run at once."""
        return self.max_concurrency < DISTRIBUTED_CONCURRENCY

    @property
    def arn(self) -> str:
        """The ARN."""
        return self.place.map_run_arn(self.machine, self.id)

    def child_name(self, index: int, attempt: int = 0) -> str:
        """Name of the child execution of batch ``index``; an express child has a new one in each redrive."""
        return f"{self.id}-{index}-r{attempt}" if attempt else f"{self.id}-{index}"

    def child(self, index: int, executions: Mapping[str, Execution]) -> Execution | None:
        """The latest child execution of batch ``index``; None when none was started."""
        for attempt in range(self.redrive_count, -1, -1):
            if (found := executions.get(self.child_name(index, attempt))) is not None:
                return found
        return None

    def note(self) -> dict[str, Any]:
        """What a journal keeps."""
        return {
            "id": self.id,
            "machine": self.machine,
            "execution": self.execution,
            "parent_machine": self.parent_machine,
            "batches": self.batches,
            "max_concurrency": self.max_concurrency,
            "tolerated_count": self.tolerated_count,
            "tolerated_percentage": self.tolerated_percentage,
            "started_at": self.started_at,
        }

    @classmethod
    def from_note(cls, note: Mapping[str, Any], place: Place = EMBEDDED) -> MapRun:
        """The map run of :meth:`note`."""
        fields = dict(note)
        fields["batches"] = tuple((value, count) for value, count in note["batches"])
        return cls(**fields, place=place)

    def describe(self, executions: Mapping[str, Execution]) -> dict[str, Any]:
        """DescribeMapRun's answer; ``executions`` by name, times in seconds since the epoch."""
        children, items = dict.fromkeys(_COUNTS, 0), dict.fromkeys(_COUNTS, 0)
        for index, (_, count) in enumerate(self.batches):
            child = self.child(index, executions)
            kind = "pending" if child is None else _COUNT_OF[child.status]
            for counts, number in ((children, 1), (items, count)):
                counts[kind] += number
                counts["total"] += number
        children["resultsWritten"] = items["resultsWritten"] = self.results_written
        answer: dict[str, Any] = {
            "mapRunArn": self.arn,
            "executionArn": self.place.execution_arn(self.parent_machine, self.execution),
            "status": self.status,
            "startDate": self.started_at,
            "maxConcurrency": self.max_concurrency if self.limited else _UNLIMITED,
            "toleratedFailureCount": self.tolerated_count,
            "toleratedFailurePercentage": float(self.tolerated_percentage),
            "itemCounts": items,
            "executionCounts": children,
            "redriveCount": self.redrive_count,
        }
        return answer if self.stopped_at is None else {**answer, "stopDate": self.stopped_at}

    def summary(self) -> dict[str, Any]:
        """An item of ListMapRuns' answer."""
        item: dict[str, Any] = {
            "mapRunArn": self.arn,
            "executionArn": self.place.execution_arn(self.parent_machine, self.execution),
            "stateMachineArn": self.place.machine_arn(self.machine),
            "startDate": self.started_at,
        }
        return item if self.stopped_at is None else {**item, "stopDate": self.stopped_at}

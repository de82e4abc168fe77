"""`LogGroups`: the events of CloudWatch log groups, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from stepweave.deployed.connecting import Clients
from stepweave.deployed.explaining import code_of, explained

MAX_STREAMS = 100
"""Streams that one FilterLogEvents may name:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """A line of a log."""

    id: str
    group: str
    stream: str
    at_ms: int
    """Milliseconds since the epoch."""
    text: str


@dataclass(slots=True)
class LogGroups:
    """Log groups of a DAG; those that are not there have no events."""

    aws: Clients
    names: Sequence[str]
    missing: set[str] = field(default_factory=set)
    """Those that are not there."""

    def matching(self, pattern: str, begin_ms: int, end_ms: int | None) -> list[LogEvent]:
        """The events between two moments that fit a filter pattern
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).
        """
        window = _window(begin_ms, end_ms)
        found = [
            event for name in self.names for event in self._filter(name, {**window, "filterPattern": pattern})
        ]
        return in_order(found)

    def streams(
        self, group: str, streams: Iterable[str], begin_ms: int, end_ms: int | None
    ) -> list[LogEvent]:
        """All events of some streams of a group between two moments."""
        names, window = sorted(set(streams)), _window(begin_ms, end_ms)
        found: list[LogEvent] = []
        for first in range(0, len(names), MAX_STREAMS):
            part = {"logStreamNames": names[first : first + MAX_STREAMS]}
            found += self._filter(group, {**window, **part})
        return in_order(found)

    def _filter(self, group: str, wanted: Mapping[str, Any]) -> list[LogEvent]:
        client = self.aws.client("logs")
        found: list[LogEvent] = []
        more: dict[str, Any] = {}
        while group not in self.missing:
            with explained(f"reading the log group {group}"):
                try:
                    page = client.filter_log_events(logGroupName=group, **wanted, **more)
                except ClientError as error:
                    if code_of(error) != "ResourceNotFoundException":
                        raise
                    self.missing.add(group)
                    break
            found += [_event(group, each) for each in page.get("events", ())]
            if not page.get("nextToken"):
                break
            more = {"nextToken": page["nextToken"]}
        return found


def in_order(events: Iterable[LogEvent]) -> list[LogEvent]:
    """``events`` by time; those of one moment stay in the order in which they were read."""
    return sorted(events, key=lambda event: event.at_ms)


def _window(begin_ms: int, end_ms: int | None) -> dict[str, Any]:
    return {"startTime": begin_ms, **({"endTime": end_ms} if end_ms is not None else {})}


def _event(group: str, said: Mapping[str, Any]) -> LogEvent:
    return LogEvent(
        # Emulators leave the id out.
        id=str(said.get("eventId") or f"{said['logStreamName']}:{said['timestamp']}:{said['message']}"),
        group=group,
        stream=str(said["logStreamName"]),
        at_ms=int(said["timestamp"]),
        text=str(said["message"]).rstrip("\n"),
    )

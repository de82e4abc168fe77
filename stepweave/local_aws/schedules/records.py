"""`Planned`: a schedule or a scheduled rule as it is now, whatever service keeps it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stepweave.local_aws.schedules.delivering import Delivery
from stepweave.local_aws.schedules.expressions import Moments, moments_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What fires, and when; equal to itself until somebody changes it."""

    key: tuple[str, ...]
    """Which one it is."""
    arn: str
    expression: str
    zone: str = "UTC"
    enabled: bool = True
    created: float
    """Seconds since the epoch, as the layer's clock counts them."""
    start: float | None = None
    end: float | None = None
    source: str
    """``scheduler`` or ``events``."""
    once: bool = False
    """Whether it is deleted when it has fired for the last time."""
    targets: str = field(repr=False)
    """JSON of the targets."""
    dimensions: tuple[tuple[str, str], ...] = ()

    def moments(self) -> Moments:
        """When it fires, whatever its state. Raises ``ExpressionError``.

        The countdown of a rule begins when it is made; a schedule with a rate fires as soon as it begins.
        """
        first = self.created if self.start is None else self.start
        if self.source == "events" and self.expression.strip().startswith("rate"):
            following = moments_of(self.expression, self.zone, first=self.created)
            return lambda after: following(max(after, self.created))
        return moments_of(self.expression, self.zone, first=first)

    def next(self, after: float) -> float | None:
        """When it fires for the first time after ``after``; None when it does not. Raises ``ExpressionError``."""
        at_once = self.expression.strip().startswith("at")
        if self.start is not None and not at_once:  # a start or an end means nothing to a one-time schedule
            after = max(after, self.start - 1e-6)
        due = self.moments()(after)
        return None if due is None or (self.end is not None and not at_once and due > self.end) else due

    def deliveries(self, due: float) -> list[Delivery]:
        """What a schedule brings at the moment ``due``."""
        return [self._delivery(target, due) for target in json.loads(self.targets)]

    def _delivery(self, target: Mapping[str, Any], due: float) -> Delivery:
        at = instant(due)
        execution = str(uuid.uuid4())
        context = {"schedule-arn": self.arn, "scheduled-time": at, "execution-id": execution}
        given = target.get("Input")
        payload = given if given is not None else json.dumps(self._default_event(at))
        for name, value in context.items():
            payload = payload.replace(f"<aws.scheduler.{name}>", value)
        return Delivery(
            target=target,
            payload=payload,
            source="scheduler",
            attributes={"SCHEDULE_ARN": self.arn, "SCHEDULED_TIME": at, "EXECUTION_ID": execution},
            dimensions=dict(self.dimensions),
        )

    def _default_event(self, at: str) -> dict[str, Any]:
        """What a function gets from a schedule without an input."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": self.arn.split(":")[4],
            "time": at,
            "region": self.arn.split(":")[3],
            "resources": [self.arn],
            "detail": "{}",
        }


ATTEMPT = "<aws.scheduler.attempt-number>"
"""Stands in a payload for the number of the attempt, which is known when it is made."""


def instant(seconds: float) -> str:
    """A moment as EventBridge writes it.

    >>> instant(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

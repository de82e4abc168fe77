"""`Deliverer`: brings a payload to a target, again while that is worth it, and else to the dead-letter queue.

AWS: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

_log = logging.getLogger("stepweave.events")

MAX_ATTEMPTS = 185
"""Retries where a target has no policy of its own, same pages."""
MAX_AGE_SECONDS = 86_400.0
"""Age of an event where a target has no policy of its own, same pages."""
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 300.0


class Undelivered(Exception):
    """A target did not take what was brought."""

    def __init__(self, code: str, text: str, *, again: bool) -> None:
        """``again``: whether it may take it later."""
        self.code = code
        self.again = again
        super().__init__(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is brought, and to whom."""

    target: Mapping[str, Any]
    """As a rule or a schedule has it: ``Arn``, ``RetryPolicy``, ``DeadLetterConfig``, parameters of its kind."""
    payload: str
    source: str
    """``scheduler`` or ``events``."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Attributes of the message in the dead-letter queue, besides those of the error."""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    """Of its metrics."""

    @property
    def max_attempts(self) -> int:
        """How often it is tried again."""
        given = (self.target.get("RetryPolicy") or {}).get("MaximumRetryAttempts")
        return MAX_ATTEMPTS if given is None else int(given)

    @property
    def max_age_seconds(self) -> float:
        """How long it is tried."""
        given = (self.target.get("RetryPolicy") or {}).get("MaximumEventAgeInSeconds")
        return MAX_AGE_SECONDS if given is None else float(given)

    @property
    def dead_letters(self) -> str | None:
        """ARN of the queue for what could not be delivered."""
        arn = (self.target.get("DeadLetterConfig") or {}).get("Arn")
        return None if arn is None else str(arn)


class Targets(Protocol):
    """What takes payloads. Calls block."""

    def send(self, delivery: Delivery, attempt: int) -> None:
        """Bring it, the ``attempt``-th time from 1; raises :class:`Undelivered`."""

    def bury(self, queue: str, body: str, attributes: Mapping[str, str]) -> None:
        """Put a message into a dead-letter queue, by its ARN."""

    def count(self, source: str, metric: str, dimensions: Mapping[str, str]) -> None:
        """Add one to a metric."""


_METRICS = {
    "scheduler": {
        "attempt": "InvocationAttemptCount",
        "error": "TargetErrorCount",
        "dropped": "InvocationDroppedCount",
        "buried": "InvocationsSentToDeadLetterCount",
    },
    "events": {
        "attempt": "Invocations",
        "error": "",
        "dropped": "FailedInvocations",
        "buried": "InvocationsSentToDlq",
    },
}
"""Names of metrics: https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html."""


class Deliverer:
    """For all rules and schedules; call it in the loop of the clock."""

    def __init__(self, targets: Targets, now: Callable[[], float]) -> None:
        self._targets = targets
        self._now = now

    async def deliver(self, delivery: Delivery) -> bool:
        """Whether the target took it."""
        began, attempt = self._now(), 0
        while True:
            attempt += 1
            self._count(delivery, "attempt")
            try:
                await asyncio.to_thread(self._targets.send, delivery, attempt)
                return True
            except Undelivered as error:
                self._count(delivery, "error")
                pause = min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)
                exhausted = self._exhausted(delivery, error, attempt, self._now() + pause - began)
                if exhausted is not None:
                    await self._drop(delivery, error, attempt - 1, exhausted)
                    return False
            await asyncio.sleep(pause)

    @staticmethod
    def _exhausted(delivery: Delivery, error: Undelivered, attempt: int, age: float) -> str | None:
        """Why it is not tried again; None when it is."""
        if not error.again:
            return ""
        if attempt > delivery.max_attempts:
            return "MaximumRetryAttempts"
        return "MaximumEventAgeInSeconds" if age > delivery.max_age_seconds else None

    async def _drop(self, delivery: Delivery, error: Undelivered, retries: int, exhausted: str) -> None:
        arn = str(delivery.target.get("Arn"))
        _log.warning("%s did not take an event: %s: %s", arn, error.code, error)
        self._count(delivery, "dropped")
        if delivery.dead_letters is None:
            return
        attributes = {
            **delivery.attributes,
            "TARGET_ARN": arn,
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error) or error.code,
            "RETRY_ATTEMPTS": str(retries),
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
        }
        try:
            await asyncio.to_thread(self._targets.bury, delivery.dead_letters, delivery.payload, attributes)
            self._count(delivery, "buried")
        except Exception:
            _log.exception("the dead-letter queue %s did not take the event either", delivery.dead_letters)

    def _count(self, delivery: Delivery, what: str) -> None:
        if metric := _METRICS[delivery.source][what]:
            self._targets.count(delivery.source, metric, delivery.dimensions)

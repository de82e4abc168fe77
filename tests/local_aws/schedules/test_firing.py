from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.local_aws.schedules.delivering import Deliverer, Delivery, Undelivered
from stepweave.local_aws.schedules.firing import MOST_MISSED, Firing
from stepweave.local_aws.schedules.records import Planned

ARN = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/daily"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
EPOCH = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@dataclass
class Targets:
    """Targets that fail as often as they are told to."""

    sent: list[tuple[str, int]] = field(default_factory=list)
    buried: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    failures: list[Undelivered] = field(default_factory=list)
    lost: bool = False

    def send(self, delivery: Delivery, attempt: int) -> None:
        self.sent.append((delivery.payload, attempt))
        if self.failures:
            raise self.failures.pop(0)

    def bury(self, queue: str, body: str, attributes: Mapping[str, str]) -> None:
        if self.lost:
            raise RuntimeError("no such queue")
        self.buried.append((queue, body, attributes))

    def count(self, source: str, metric: str, dimensions: Mapping[str, str]) -> None:
        self.counted.append(metric)


class Deliveries:
    """A deliverer that remembers."""

    def __init__(self) -> None:
        self.payloads: list[str] = []

    async def deliver(self, delivery: Delivery) -> bool:
        self.payloads.append(delivery.payload)
        return True


def planned(**fields: Any) -> Planned:
    target = {"Arn": QUEUE, "Input": "<aws.scheduler.scheduled-time>"}
    given = {
        "key": ("schedule", "default/daily"),
        "arn": ARN,
        "expression": "cron(0 6 * * ? *)",
        "created": EPOCH,
        "source": "scheduler",
        "targets": json.dumps([target]),
    }
    return Planned(**given | fields)


class Fired:
    """Schedules that fire while a virtual clock runs."""

    def __init__(self, *schedules: Planned) -> None:
        self.clock = VirtualClock(EPOCH)
        self.schedules = list(schedules)
        self.finished: list[Planned] = []
        self.deliveries = Deliveries()
        self.firing = Firing(
            lambda: self.schedules,
            self.deliveries,  # type: ignore[arg-type]
            self._finish,
            Planned.deliveries,
            self.clock.now,
            lambda: 30.0,
        )

    def _finish(self, one: Planned) -> None:
        self.finished.append(one)
        self.schedules.remove(one)

    def after(self, seconds: float) -> list[str]:
        """The moments for which something was brought, while so much time passed."""

        async def main() -> None:
            running = asyncio.ensure_future(self.firing.run())
            await asyncio.sleep(seconds)
            running.cancel()

        self.clock.run(main())
        return self.deliveries.payloads


def test_a_schedule_fires_at_its_time_in_its_zone() -> None:
    assert Fired(planned(zone="Europe/Berlin")).after(2 * DAY) == [
        "2026-03-01T05:00:00Z",
        "2026-03-02T05:00:00Z",
    ]


def test_a_rate_fires_at_once_and_then_at_its_distance() -> None:
    found = Fired(planned(expression="rate(6 hours)", created=EPOCH)).after(13 * HOUR)

    assert found == ["2026-03-01T00:00:00Z", "2026-03-01T06:00:00Z", "2026-03-01T12:00:00Z"]


def test_a_rate_begins_with_its_start_date() -> None:
    found = Fired(planned(expression="rate(1 day)", start=EPOCH + 3 * HOUR)).after(2 * DAY)

    assert found == ["2026-03-01T03:00:00Z", "2026-03-02T03:00:00Z"]


def test_a_scheduled_rule_counts_down_from_its_making() -> None:
    rule = planned(expression="rate(1 hour)", source="events", created=EPOCH - 1)

    assert rule.next(EPOCH - 100) == EPOCH - 1 + HOUR


def test_nothing_fires_before_its_start_or_after_its_end() -> None:
    found = Fired(planned(start=EPOCH + 1.5 * DAY, end=EPOCH + 3.5 * DAY)).after(6 * DAY)

    assert found == ["2026-03-03T06:00:00Z", "2026-03-04T06:00:00Z"]


def test_a_disabled_schedule_does_not_fire() -> None:
    fired = Fired(planned(enabled=False))

    assert fired.after(2 * DAY) == []
    fired.schedules = [planned()]
    assert fired.after(2 * DAY) == ["2026-03-03T06:00:00Z", "2026-03-04T06:00:00Z"]


def test_a_one_time_schedule_is_deleted_when_that_was_asked_for() -> None:
    once = planned(expression="at(2026-03-01T02:00:00)", once=True)
    kept = replace(once, key=("schedule", "default/kept"), once=False)
    fired = Fired(once, kept)

    assert fired.after(DAY) == ["2026-03-01T02:00:00Z"] * 2
    assert (fired.finished, fired.schedules) == ([once], [kept])


def test_what_a_server_missed_while_it_was_down_stays_missed() -> None:
    found = Fired(planned(expression="rate(1 hour)", created=EPOCH - 10.5 * HOUR)).after(HOUR)

    assert found == ["2026-03-01T00:30:00Z"]


def test_a_schedule_that_is_new_is_noticed() -> None:
    fired = Fired()

    assert fired.after(HOUR) == []
    fired.schedules.append(planned(expression="rate(1 hour)", created=fired.clock.now()))
    assert fired.after(MINUTE) == ["2026-03-01T01:00:00Z"]


def test_a_clock_that_is_moved_lets_all_fire_that_was_due() -> None:
    fired = Fired(planned())
    fired.after(MINUTE)

    fired.clock.epoch += 3 * DAY

    assert fired.after(MINUTE) == [f"2026-03-0{day}T06:00:00Z" for day in (1, 2, 3)]


def test_a_clock_that_is_moved_far_lets_only_the_latest_fire() -> None:
    fired = Fired(planned(expression="cron(* * * * ? *)"))
    before = fired.after(MINUTE / 2)[:]

    fired.clock.epoch += 3 * DAY
    found = fired.after(MINUTE / 4)[len(before) :]

    assert len(found) == MOST_MISSED
    assert found[-1] == "2026-03-04T00:00:00Z"


def test_an_expression_that_cannot_be_read_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    odd = planned(key=("schedule", "default/odd"), expression="cron(whenever)")

    assert Fired(odd, planned()).after(DAY) == ["2026-03-01T06:00:00Z"]
    assert "never fires" in caplog.text


def test_the_context_of_a_schedule_is_put_into_its_input() -> None:
    names = {"at": "scheduled-time", "of": "schedule-arn", "x": "execution-id"}
    text = json.dumps({key: f"<aws.scheduler.{name}>" for key, name in names.items()})
    (delivery,) = planned(targets=json.dumps([{"Arn": QUEUE, "Input": text}])).deliveries(EPOCH)

    given = json.loads(delivery.payload)
    assert (given["at"], given["of"]) == ("2026-03-01T00:00:00Z", ARN)
    assert given["x"] == delivery.attributes["EXECUTION_ID"]


def test_a_schedule_without_an_input_brings_an_event() -> None:
    (delivery,) = planned(targets=json.dumps([{"Arn": QUEUE}])).deliveries(EPOCH)

    event = json.loads(delivery.payload)
    assert (event["source"], event["resources"], event["time"]) == (
        "aws.scheduler",
        [ARN],
        "2026-03-01T00:00:00Z",
    )


AGAIN = Undelivered("Throttling", "slow down", again=True)


def deliver(targets: Targets, **policy: Any) -> tuple[bool, float]:
    """Whether a delivery arrived, and how long it took."""
    clock = VirtualClock()
    target = {"Arn": QUEUE, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": "arn:dlq"}}
    delivery = Delivery(target=target, payload="{}", source="scheduler", attributes={"SCHEDULE_ARN": ARN})
    deliverer = Deliverer(targets, clock.now)

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        loop.run_in_executor = _at_once  # type: ignore[method-assign, assignment]
        return await deliverer.deliver(delivery)

    arrived: bool = clock.run(main())
    return arrived, clock.elapsed


async def _at_once(executor: object, function: Any, *arguments: Any) -> Any:
    return function(*arguments)


def test_a_target_that_recovers_gets_it_later() -> None:
    targets = Targets(failures=[AGAIN, AGAIN])

    assert deliver(targets) == (True, 3.0)
    assert [attempt for _, attempt in targets.sent] == [1, 2, 3]
    assert targets.counted.count("TargetErrorCount") == 2
    assert targets.buried == []


def test_after_the_last_retry_it_goes_to_the_dead_letter_queue() -> None:
    targets = Targets(failures=[AGAIN] * 9)

    assert deliver(targets, MaximumRetryAttempts=2)[0] is False
    assert len(targets.sent) == 3
    assert targets.buried == [
        (
            "arn:dlq",
            "{}",
            {
                "SCHEDULE_ARN": ARN,
                "TARGET_ARN": QUEUE,
                "ERROR_CODE": "Throttling",
                "ERROR_MESSAGE": "slow down",
                "RETRY_ATTEMPTS": "2",
                "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
            },
        )
    ]
    assert targets.counted[-2:] == ["InvocationDroppedCount", "InvocationsSentToDeadLetterCount"]


def test_an_event_that_is_too_old_is_given_up() -> None:
    targets = Targets(failures=[AGAIN] * 99)

    assert deliver(targets, MaximumEventAgeInSeconds=60) == (False, 31.0)
    assert targets.buried[0][2]["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"


def test_what_will_never_be_taken_is_not_tried_again() -> None:
    targets = Targets(failures=[Undelivered("ResourceNotFoundException", "gone", again=False)])

    assert deliver(targets) == (False, 0.0)
    assert targets.buried[0][2]["RETRY_ATTEMPTS"] == "0"


def test_a_dead_letter_queue_that_is_gone_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    targets = Targets(failures=[Undelivered("X", "", again=False)], lost=True)

    assert deliver(targets) == (False, 0.0)
    assert "did not take the event either" in caplog.text
    assert "InvocationsSentToDeadLetterCount" not in targets.counted

"""CloudWatch's part of the layer: metrics by the layer's clock, alarms that are looked at as time passes."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, cast

from ministack.services import cloudwatch, eventbridge, sqs

from stepweave.local_aws.alarms.evaluating import Rule, State, judged
from stepweave.local_aws.clock import LayerClock
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.scope import local_account
from stepweave.local_aws.layer.seams import Seam
from stepweave.local_aws.timing import clock, timing

_log = logging.getLogger("stepweave.alarms")

LOOK_SECONDS = 10.0
"""How often alarms are looked at, by the layer's clock."""
SHORTEST_PAUSE_SECONDS = 0.25
"""The same by this machine's, at the least."""
GAUGE_SECONDS = 60.0
"""How often it is counted what waits in queues."""

_evaluating = threading.RLock()
"""Whoever stores metrics looks at alarms too: each change is told once."""

_store_datum = cloudwatch._store_datum


def record_metric(
    namespace: str,
    metric_name: str,
    value: float,
    unit: str = "None",
    dimensions: Mapping[str, str] | None = None,
) -> None:
    """Add a value to a metric, now by the layer's clock."""
    given = dict(dimensions or {})
    bucket = cloudwatch._metric_bucket((namespace, metric_name, cloudwatch._dims_key(given)))
    bucket.append({"Timestamp": clock().now(), "Value": float(value), "Unit": unit, "Dimensions": given})


def store_datum(
    namespace: str,
    name: str,
    dims: Mapping[str, str],
    ts: float,
    unit: str,
    value: Any,
    values: Any,
    counts: Any,
    stat_values: Any,
) -> None:
    """Store what PutMetricData brings; its sender's clock is this machine's."""
    at = clock().from_real(ts)
    _store_datum(namespace, name, dims, at, unit, value, values, counts, stat_values)


def evaluate(alarm: dict[str, Any]) -> None:
    """Look at an alarm; tell who is to be told if its state is another."""
    with _evaluating:
        _evaluate(alarm)


def _evaluate(alarm: dict[str, Any]) -> None:
    rule = Rule.of(alarm)
    if rule is None or not alarm.get("MetricName"):
        return
    now = clock().now()
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm.get("Namespace"), alarm["MetricName"], cloudwatch._dims_key(dimensions))
    points = [point for point in cloudwatch._metrics.get(key) or () if point["Timestamp"] <= now]
    windows = rule.windows(now, max((point["Timestamp"] for point in points), default=None))
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    values = [_value(points, window, statistic) for window in windows]
    before = cast(State, alarm["StateValue"])
    verdict = judged(rule, values, before, [end for _, end in windows])
    if verdict.state != before:
        _change(alarm, before, verdict.state, verdict.reason, now)


def _value(points: list[dict[str, Any]], window: tuple[float, float], statistic: str) -> float | None:
    inside = [point for point in points if window[0] <= point["Timestamp"] < window[1]]
    if not inside:
        return None
    value = cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside)
    return None if value is None else float(value)


def _change(alarm: dict[str, Any], before: State, state: State, reason: str, now: float) -> None:
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(now))
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
    detail = {
        "alarmName": alarm["AlarmName"],
        "state": {"value": state, "reason": reason},
        "previousState": {"value": before},
    }
    entry = {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Detail": json.dumps(detail),
        "Resources": [alarm["AlarmArn"]],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def look() -> None:
    """Look at every alarm."""
    with local_account():
        for alarm in list(cloudwatch._alarms.values()):
            try:
                evaluate(alarm)
            except Exception:
                _log.exception("alarm %s was not evaluated", alarm.get("AlarmName"))


class _Gauges:
    """How many messages wait in each queue."""

    def __init__(self, of: LayerClock) -> None:
        self._clock = of
        self._due = of.now()
        self._waiting: set[str] = set()

    def read(self) -> None:
        """Record them, if it is time. Queues that were and are empty are no metric, as on AWS."""
        now = self._clock.now()
        if now < self._due:
            return
        self._due = now + GAUGE_SECONDS
        with local_account():
            for queue in list(sqs._queues.values()):
                sqs._refresh_counts(queue)
                waiting = int(queue["attributes"].get("ApproximateNumberOfMessages", 0))
                name = str(queue["name"])
                if waiting or name in self._waiting:
                    record_metric(
                        "AWS/SQS", "ApproximateNumberOfMessagesVisible", waiting, "Count", {"QueueName": name}
                    )
                self._waiting = (self._waiting - {name}) | ({name} if waiting else set())


async def _watch(of: LayerClock) -> None:
    gauges = _Gauges(of)
    while True:
        await asyncio.sleep(max(LOOK_SECONDS, SHORTEST_PAUSE_SECONDS * of.speed))
        try:
            await asyncio.to_thread(gauges.read)
        except Exception:
            _log.exception("queues were not counted")
        await asyncio.to_thread(look)


_running: list[Future[None]] = []


def _install(setting: Setting) -> None:
    cloudwatch.record_metric = record_metric
    cloudwatch._store_datum = store_datum
    cloudwatch._evaluate_alarm = evaluate


def _start() -> None:
    _running.append(timing().submit(_watch(clock())))


def _stop() -> None:
    _running[-1].cancel()


_CLOUDWATCH = "ministack.services.cloudwatch"

PART = Part(
    name="alarms",
    seams=(
        *(
            Seam(_CLOUDWATCH, name, parameters)
            for name, parameters in (
                ("record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")),
                (
                    "_store_datum",
                    ("namespace", "name", "dims", "ts", "unit", "value", "values", "counts", "stat_values"),
                ),
                ("_evaluate_alarm", ("alarm",)),
                ("_metric_bucket", ("key",)),
                ("_dims_key", ("dims",)),
                ("_dims_from_list", ("dimensions",)),
                ("_calc_stats", ("points",)),
                ("_stat_value", ("stats", "stat_name", "points")),
                ("_dispatch_alarm_actions", ("alarm", "old_state", "new_state", "reason")),
                ("_evaluate_parent_alarms", ("child", "seen")),
            )
        ),
        Seam(_CLOUDWATCH, "_alarms"),
        Seam(_CLOUDWATCH, "_metrics"),
        Seam("ministack.services.eventbridge", "_put_events", ("data", "allow_aws_source")),
        Seam("ministack.services.sqs", "_queues"),
        Seam("ministack.services.sqs", "_refresh_counts", ("q",)),
    ),
    install=_install,
    start=_start,
    stop=_stop,
)

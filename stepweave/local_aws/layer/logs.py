"""Log groups, written to from inside the server; lines in the embedded metric format become metrics, and what
looks for lines of JSON finds those only.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs, lambda_svc

from stepweave.local_aws.layer import log_patterns
from stepweave.local_aws.layer.emf import metrics_of
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.scope import local_account
from stepweave.local_aws.layer.seams import Seam
from stepweave.local_aws.timing import clock


def write(group: str, stream: str, lines: Sequence[str], at_ms: int | None = None) -> None:
    """Append lines to a log stream; group and stream are made when they are not there."""
    if not lines:
        return
    now = int(
        clock().now() * 1000
    )  # as all that is recorded of runs: logs are looked for between their moments
    events = [{"timestamp": at_ms or now, "message": line} for line in lines]
    with local_account():
        if group not in cloudwatch_logs._log_groups:
            cloudwatch_logs._create_log_group({"logGroupName": group})
        if stream not in cloudwatch_logs._log_groups[group]["streams"]:
            cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
        # Through the API's own function: it stores the lines, and hands them to subscriptions.
        cloudwatch_logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": events})


def _now_ms() -> int:
    """The moment by the clock that runs are recorded by: their logs are looked for between their moments."""
    return int(clock().now() * 1000)


def _install(setting: Setting) -> None:
    append = cloudwatch_logs._append_log_events
    of_function: ContextVar[bool] = ContextVar("of_function", default=False)

    def append_with_metrics(stream: Any, events: Sequence[dict[str, Any]]) -> None:
        for event in events:
            event.setdefault("eventId", uuid.uuid4().hex)  # what FilterLogEvents answers with
            if of_function.get():
                event["timestamp"] = _now_ms()
        append(stream, events)
        for event in events:
            _count(str(event.get("message", "")))

    cloudwatch_logs._append_log_events = append_with_metrics
    emit = lambda_svc._emit_lambda_logs

    def emit_by_the_clock(*values: Any, **named: Any) -> None:
        token = of_function.set(True)
        try:
            emit(*values, **named)
        finally:
            of_function.reset(token)

    lambda_svc._emit_lambda_logs = emit_by_the_clock
    by_words = cloudwatch_logs._compile_filter_pattern
    cloudwatch_logs._compile_filter_pattern = lambda raw: (
        log_patterns.compiled(raw) if log_patterns.is_json_pattern(raw) else by_words(raw)
    )


def _count(message: str) -> None:
    if not (message.startswith("{") and '"_aws"' in message):
        return
    try:
        document = json.loads(message)
    except ValueError:
        return
    for metric in metrics_of(document):
        for value in metric.values:
            cloudwatch.record_metric(
                metric.namespace, metric.name, value, metric.unit, dict(metric.dimensions)
            )


PART = Part(
    name="logs",
    seams=(
        Seam("ministack.services.cloudwatch_logs", "_log_groups"),
        Seam("ministack.services.cloudwatch_logs", "_create_log_group", ("data",)),
        Seam("ministack.services.cloudwatch_logs", "_create_log_stream", ("data",)),
        Seam("ministack.services.cloudwatch_logs", "_put_log_events", ("data",)),
        Seam("ministack.services.cloudwatch_logs", "_append_log_events", ("stream", "events")),
        Seam(
            "ministack.services.lambda_svc",
            "_emit_lambda_logs",
            ("func", "request_id", "log_text", "error", "duration_ms", "log_source"),
        ),
        Seam("ministack.services.cloudwatch_logs", "_compile_filter_pattern", ("raw",)),
    ),
    install=_install,
)

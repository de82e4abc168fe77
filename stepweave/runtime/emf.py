"""`line(...)`: one line of JSON for CloudWatch Logs: numbers about something, as metrics too where that is asked for.

CloudWatch reads metrics from the log, so that nobody waits for an API (the embedded metric format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
A line without ``_aws`` is a line like any other, which Logs Insights can add up; each metric costs money for each hour
with a value in it, and for each of its sets of dimensions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NAMESPACE = "Stepweave"


def line(
    values: Mapping[str, float],
    fields: Mapping[str, Any],
    *,
    dimensions: Iterable[Sequence[str]] = (),
    timestamp_ms: int,
) -> str:
    """The line, without a line break.

    Args:
        values: Numbers by name; the unit follows from how the name ends (``Seconds``, ``MiB``), else it is a count.
        fields: What else the line says; dimensions are among these.
        dimensions: Sets of names of fields; a metric is kept for each of them. None: no metrics.
        timestamp_ms: When it was, in milliseconds since the epoch.
    """
    sets = [list(names) for names in dimensions]
    found: dict[str, Any] = {"timestamp": timestamp_ms, **fields, **values}
    if sets:
        metrics = [{"Name": name, "Unit": _unit(name)} for name in values]
        described = {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics}
        found["_aws"] = {"Timestamp": timestamp_ms, "CloudWatchMetrics": [described]}
    return json.dumps(found, ensure_ascii=False, default=str)


def _unit(name: str) -> str:
    if name.endswith("Seconds"):
        return "Seconds"
    # CloudWatch has no binary units (API_MetricDatum); 1,024 parts of a gibibyte are called megabytes there.
    return "Megabytes" if name.endswith("MiB") else "Count"

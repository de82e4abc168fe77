"""`line(...)`: one line of JSON for CloudWatch Logs: numbers about something, as metrics too where that is asked for.

CloudWatch reads metrics from the log, so that nobody waits for an API (the embedded metric format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
A line without ``_aws`` is a line like any other, which Logs Insights can add up; each metric costs money for each hour
with a value in it, and for each of its sets of dimensions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

NAMESPACE = "Stepweave"


def line(
    values: Mapping[str, float],
    fields: Mapping[str, Any],
    *,
    metrics: Mapping[tuple[str, ...], Iterable[str]] | None = None,
    timestamp_ms: int,
) -> str:
    """The line, without a line break.

    Args:
        values: Numbers by name; the unit follows from how the name ends (``Seconds``, ``MiB``), else it is a count.
        fields: What else the line says; dimensions are among these.
        metrics: Names of the values that are metrics, by the fields that are their dimensions; None are without it.
        timestamp_ms: When it was, in milliseconds since the epoch.
    """
    found: dict[str, Any] = {"timestamp": timestamp_ms, **fields, **values}
    described = [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name, "Unit": _unit(name)} for name in names],
        }
        for dimensions, names in (metrics or {}).items()
    ]
    if described:
        found["_aws"] = {"Timestamp": timestamp_ms, "CloudWatchMetrics": described}
    return json.dumps(found, ensure_ascii=False, default=str)


def _unit(name: str) -> str:
    if name.endswith("Seconds"):
        return "Seconds"
    # CloudWatch has no binary units (API_MetricDatum); 1,024 parts of a gibibyte are called megabytes there.
    return "Megabytes" if name.endswith("MiB") else "Count"

"""The metrics in a log line of the embedded metric format
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Values of one metric under one set of dimensions."""

    namespace: str
    name: str
    unit: str
    dimensions: Mapping[str, str]
    values: tuple[float, ...]


def metrics_of(document: object) -> Iterator[Metric]:
    """Every metric in a log line, one for each set of dimensions; what breaks the format is passed over, as on AWS."""
    directives = _within(document, "_aws", "CloudWatchMetrics")
    for directive in directives if isinstance(directives, list) else ():
        if isinstance(directive, Mapping) and isinstance(document, Mapping):
            yield from _directive(directive, document)


def _directive(directive: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Metric]:
    for names in directive.get("Dimensions") or [[]]:
        if not all(isinstance(document.get(name), (str, int, float, bool)) for name in names):
            continue
        dimensions = {name: str(document[name]) for name in names}
        for one in directive.get("Metrics") or ():
            values = _numbers(document.get(one.get("Name")))
            if values:
                yield Metric(
                    namespace=str(directive.get("Namespace", "")),
                    name=one["Name"],
                    unit=one.get("Unit", "None"),
                    dimensions=dimensions,
                    values=values,
                )


def _numbers(value: object) -> tuple[float, ...]:
    given = value if isinstance(value, list) else [value]
    return tuple(float(one) for one in given if isinstance(one, (int, float)) and not isinstance(one, bool))


def _within(value: object, *path: str) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value

"""`metrics_of`: what CloudWatch is told of an execution that started or ended, in the namespace AWS/States.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stepweave.local_aws.states.entry import Entry

NAMESPACE = "AWS/States"

_ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of a metric."""

    name: str
    value: float
    unit: str
    dimensions: tuple[tuple[str, str], ...]


def metrics_of(entry: Entry) -> Iterator[Sample]:
    """The samples of an execution as it is: that it started while it runs, how it ended afterwards.

    The one of the machine, and those of the version and the alias by which it was started.
    """
    started = "RedrivenExecutions" if entry.redrive_count else "ExecutionsStarted"
    counted = {"RUNNING": started} | _ENDS
    for dimensions in _dimensions(entry):
        yield Sample(name=counted[entry.status], value=1, unit="Count", dimensions=dimensions)
        if entry.stopped_at is not None:
            began = entry.redriven_at if entry.redriven_at is not None else entry.started_at
            yield Sample(
                name="ExecutionTime",
                value=(entry.stopped_at - began) * 1000,
                unit="Milliseconds",
                dimensions=dimensions,
            )


def _dimensions(entry: Entry) -> Iterator[tuple[tuple[str, str], ...]]:
    revision = entry.revision
    machine = ("StateMachineArn", revision.machine_arn)
    yield (machine,)
    for kind, arn in (("Version", revision.version_arn), ("Alias", revision.alias_arn)):
        if arn is not None:
            yield (machine, (kind, arn.rpartition(":")[2]))
            yield (("StateMachineArn", arn),)

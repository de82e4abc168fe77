"""When failed items fail a Distributed Map.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html#maprun-fail-threshold
"""

from __future__ import annotations

from stepweave.engine.failures import StateError

EXCEED_TOLERATED_FAILURE_THRESHOLD = "States.ExceedToleratedFailureThreshold"


def exceeded(failed: int, total: int, count: int = 0, percentage: float = 0) -> bool:
    """Whether ``failed`` of ``total`` items are too many: failed and timed out ones, each item of a failed batch.

    Exceeding either threshold is. A threshold of 0 counts as not set, which the page does not say but sfnx measured:
    a count of 0 beside a percentage that holds does not fail the map. Without either, any failure does.

    >>> exceeded(1, 10), exceeded(1, 10, count=1), exceeded(2, 10, count=1, percentage=50)
    (True, False, True)
    """
    if not count and not percentage:
        return failed > 0
    return bool(count and failed > count) or bool(percentage and failed * 100 > percentage * total)


def threshold_exceeded() -> StateError:
    """The error of a map whose failed items exceed its thresholds."""
    return StateError(
        EXCEED_TOLERATED_FAILURE_THRESHOLD, "The specified tolerated failure threshold was exceeded"
    )

"""Numbers of a Distributed Map that a definition may compute, checked once they are evaluated."""

from __future__ import annotations

from typing import Any

from stepweave.engine import payload
from stepweave.engine.failures import QUERY_EVALUATION_ERROR, RUNTIME, StateError
from stepweave.engine.maps.items import item_reader_failed
from stepweave.engine.payload import PAYLOAD_BYTES

MAX_ITEMS = 100_000_000
"""Items after which a Distributed Map stops reading:
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html."""


def whole(value: Any, field: str, least: int | None = None, most: int | None = None) -> int:
    """``value`` as an integer in its range; raises ``States.QueryEvaluationError`` for anything else."""
    exact = isinstance(value, int) and not isinstance(value, bool)
    if not exact and not (isinstance(value, float) and value.is_integer()):
        raise _refused(value, field, "a whole number")
    if least is not None and value < least:
        raise _refused(value, field, f"a whole number from {least}")
    if most is not None and value > most:
        raise _refused(value, field, f"a whole number up to {most}")
    return int(value)


def max_items(value: Any) -> int:
    """How many items ``ReaderConfig.MaxItems`` lets through: absent and 0 mean as many as there can be.

    Recorded on Step Functions: 0 sets no limit, what is above the largest limit counts as that, and what is below 0
    is an error of the reader.
    """
    number = 0 if value is None else whole(value, "MaxItems")
    if number < 0:
        raise item_reader_failed("field MaxItems must be positive")
    return min(number or MAX_ITEMS, MAX_ITEMS)


def max_items_per_batch(value: Any) -> int | None:
    """``MaxItemsPerBatch``; None when it is not set."""
    return None if value is None else whole(value, "MaxItemsPerBatch", 1)


def max_bytes_per_batch(value: Any) -> int:
    """``MaxInputBytesPerBatch``, 256 KiB when it is not set.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
    """
    return PAYLOAD_BYTES if value is None else whole(value, "MaxInputBytesPerBatch", 1, PAYLOAD_BYTES)


def tolerated_count(value: Any) -> int:
    """``ToleratedFailureCount``, 0 when it is not set; below 0 is ``States.Runtime``, as recorded."""
    number = 0 if value is None else whole(value, "ToleratedFailureCount")
    if number < 0:
        raise StateError(RUNTIME, "ToleratedFailureCount cannot be negative.")
    return number


def tolerated_percentage(value: Any) -> float:
    """``ToleratedFailurePercentage``, 0 when it is not set; outside 0–100 is ``States.Runtime``, as recorded."""
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(value, "ToleratedFailurePercentage", "a number")
    if not 0 <= value <= 100:
        raise StateError(RUNTIME, "ToleratedFailurePercentage must be between 0 and 100.")
    return float(value)


def _refused(value: Any, field: str, expected: str) -> StateError:
    return StateError(
        QUERY_EVALUATION_ERROR, f"{field} must be {expected}, got {payload.to_text(value)[:200]}"
    )

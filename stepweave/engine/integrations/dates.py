"""How integrations write times."""

from __future__ import annotations

from datetime import UTC, datetime


def milliseconds(seconds: float) -> int:
    """As optimized integrations do: milliseconds since the epoch, from seconds."""
    return int(seconds * 1000)


def timestamp(seconds: float) -> str:
    """As aws-sdk integrations do: like ``Instant.toString`` of Java, from seconds since the epoch.

    >>> timestamp(1.5), timestamp(60)
    ('1970-01-01T00:00:01.500Z', '1970-01-01T00:01:00Z')
    """
    moment = datetime.fromtimestamp(seconds, UTC)
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond >= 1000 else "seconds")
    return text.replace("+00:00", "Z")

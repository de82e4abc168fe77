"""Durations and sizes as users write them, in one unit each.

seconds("6h") == seconds(timedelta(hours=6)) == 21600        mebibytes("60GiB") == 61440
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any

_NUMBER_AND_UNIT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_MEBIBYTES = {
    "mib": 1.0,
    "gib": 1024.0,
    "tib": 1024.0**2,
    "mb": 1e6 / 2**20,
    "gb": 1e9 / 2**20,
    "tb": 1e12 / 2**20,
}


def seconds(value: Any) -> int:
    """Whole seconds in ``value``: a number of seconds, a ``timedelta``, or text such as ``"90s"``, ``"15m"``, ``"6h"``.

    Rounded up to the next whole second. Raises ``ValueError`` with the accepted forms.
    """
    if isinstance(value, timedelta):
        return _whole(value.total_seconds(), value, _DURATIONS)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _whole(value, value, _DURATIONS)
    if isinstance(value, str) and (match := _NUMBER_AND_UNIT.fullmatch(value)):
        number, unit = match.groups()
        if unit.lower() in _SECONDS:
            return _whole(float(number) * _SECONDS[unit.lower()], value, _DURATIONS)
    raise ValueError(_DURATIONS)


def mebibytes(value: Any) -> int:
    """Whole MiB in ``value``: a number of MiB or text such as ``"512MiB"``, ``"60GiB"``, ``"4GB"``; rounded up.

    Raises ``ValueError`` with the accepted forms.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _whole(value, value, _SIZES)
    if isinstance(value, str) and (match := _NUMBER_AND_UNIT.fullmatch(value)):
        number, unit = match.groups()
        if unit.lower() in _MEBIBYTES:
            return _whole(float(number) * _MEBIBYTES[unit.lower()], value, _SIZES)
    raise ValueError(_SIZES)


_DURATIONS = "a number of seconds, a timedelta, or text such as '90s', '15m', '6h', '2d'"
_SIZES = "a number of MiB, or text such as '512MiB', '60GiB', '4GB'"


def _whole(number: float, given: object, forms: str) -> int:
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{forms}; finite and not negative")
    return math.ceil(number)

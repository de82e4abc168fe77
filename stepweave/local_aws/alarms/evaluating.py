"""`judged`: the state of an alarm from the values of its periods.

AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html. CloudWatch looks further back
than the periods that an alarm names, so where data are sparse it leaves ALARM a little later than here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

_GRAIN_SECONDS = 60
"""Alarms of a minute and more are looked at every minute."""

_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (lambda value, limit: value >= limit, "greater than or equal to"),
    "GreaterThanThreshold": (lambda value, limit: value > limit, "greater than"),
    "LessThanThreshold": (lambda value, limit: value < limit, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, limit: value <= limit, "less than or equal to"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When an alarm is one."""

    period_seconds: int
    periods: int
    to_alarm: int
    """How many of the periods must breach."""
    threshold: float
    comparison: str
    missing: str
    """``missing``, ``ignore``, ``breaching`` or ``notBreaching``."""

    @classmethod
    def of(cls, alarm: Mapping[str, Any]) -> Rule | None:
        """That of an alarm as CloudWatch describes it; None for one that compares with something else than a number."""
        if alarm.get("ComparisonOperator") not in _COMPARISONS:
            return None
        periods = int(alarm.get("EvaluationPeriods") or 1)
        return cls(
            period_seconds=int(alarm.get("Period") or _GRAIN_SECONDS),
            periods=periods,
            to_alarm=int(alarm.get("DatapointsToAlarm") or periods),
            threshold=float(alarm.get("Threshold") or 0.0),
            comparison=str(alarm["ComparisonOperator"]),
            missing=str(alarm.get("TreatMissingData") or "missing"),
        )

    def windows(self, now: float, latest: float | None) -> list[tuple[float, float]]:
        """Begin and end of the periods that are looked at, the oldest first.

        They end with the last whole minute, or with the present one if there is a value in it already; ``latest`` is
        when the latest value came.
        """
        grain = min(_GRAIN_SECONDS, self.period_seconds)
        end = math.floor(now / grain) * grain
        if latest is not None and latest >= end:
            end += grain
        count, length = self.periods, self.period_seconds
        return [
            (end - (count - index) * length, end - (count - index - 1) * length) for index in range(count)
        ]

    def breaches(self, value: float) -> bool:
        """Whether a value is beyond the threshold."""
        return _COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of an alarm, and why."""

    state: State
    reason: str


def judged(rule: Rule, values: Sequence[float | None], before: State, ends: Sequence[float] = ()) -> Verdict:
    """The state for the values of the periods, the oldest first; None where there are none.

    ``ends`` are when the periods end, for the words.
    """
    known = [value for value in values if value is not None]
    absent = len(values) - len(known)
    if not known and rule.missing in ("missing", "ignore"):
        if rule.missing == "ignore":
            return Verdict(before, "no data, and missing data are ignored")
        points = _counted(absent)
        return Verdict(
            "INSUFFICIENT_DATA", f"Insufficient Data: {points} {'was' if absent == 1 else 'were'} unknown."
        )
    breaching = sum(map(rule.breaches, known)) + (absent if rule.missing == "breaching" else 0)
    if breaching >= rule.to_alarm:
        return Verdict("ALARM", f"Threshold Crossed: {_said(rule, values, ends, True)}")
    if rule.missing in ("missing", "ignore") and before == "ALARM" and breaching + absent >= rule.to_alarm:
        return Verdict(before, "too few data to leave the state")
    return Verdict("OK", f"Threshold Crossed: {_said(rule, values, ends, False)}")


def _said(rule: Rule, values: Sequence[float | None], ends: Sequence[float], alarm: bool) -> str:
    known = [
        (value, ends[index] if index < len(ends) else None)
        for index, value in enumerate(values)
        if value is not None and rule.breaches(value) == alarm
    ]
    absent = sum(value is None for value in values)
    if not known:
        treated = "Breaching" if rule.missing == "breaching" else "NonBreaching"
        one = absent == 1
        return (
            f"no datapoints were received for {absent} period{'' if one else 's'} and {absent} missing "
            f"datapoint{' was' if one else 's were'} treated as [{treated}]."
        )
    shown = ", ".join(_shown(value, end) for value, end in known)
    verb = "was" if len(known) == 1 else "were"
    words = _COMPARISONS[rule.comparison][1]
    return f"{_counted(len(known))} [{shown}] {verb}{'' if alarm else ' not'} {words} the threshold ({rule.threshold})."


def _shown(value: float, end: float | None) -> str:
    if end is None:
        return f"{value}"
    return f"{value} ({datetime.fromtimestamp(end, UTC).strftime('%d/%m/%y %H:%M:%S')})"


def _counted(count: int) -> str:
    return f"{count} datapoint{'' if count == 1 else 's'}"

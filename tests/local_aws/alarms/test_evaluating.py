from __future__ import annotations

from typing import Any

import pytest

from stepweave.local_aws.alarms.evaluating import Rule, State, judged


def rule(**fields: Any) -> Rule:
    given = {
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    found = Rule.of(given | fields)
    assert found is not None
    return found


# The table of the user guide: three periods, all of which must breach; x breaches, o does not, - is missing.
@pytest.mark.parametrize(
    "drawn, missing, breaching, not_breaching, ignored",
    [
        ("ooo", "OK", "OK", "OK", "OK"),
        ("xxx", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("---", "INSUFFICIENT_DATA", "ALARM", "OK", "before"),
        ("x-x", "before", "ALARM", "OK", "before"),
        ("--o", "OK", "OK", "OK", "OK"),
        ("oxx", "OK", "OK", "OK", "OK"),
    ],
)
@pytest.mark.parametrize("before", ["ALARM", "OK"])
def test_missing_data_count_as_the_alarm_says(
    drawn: str, missing: str, breaching: str, not_breaching: str, ignored: str, before: State
) -> None:
    values = [{"x": 9.0, "o": 1.0, "-": None}[letter] for letter in drawn]
    expected = {"missing": missing, "breaching": breaching, "notBreaching": not_breaching, "ignore": ignored}

    found = {
        treatment: judged(rule(TreatMissingData=treatment), values, before).state for treatment in expected
    }

    assert found == {
        treatment: before if state == "before" else state for treatment, state in expected.items()
    }


def test_some_of_the_periods_may_be_enough() -> None:
    values = [9.0, 1.0, 9.0]

    assert judged(rule(DatapointsToAlarm=2), values, "OK").state == "ALARM"
    assert judged(rule(DatapointsToAlarm=3), values, "OK").state == "OK"


@pytest.mark.parametrize(
    "comparison, alarming",
    [
        ("GreaterThanOrEqualToThreshold", (5.0, 6.0)),
        ("GreaterThanThreshold", (6.0,)),
        ("LessThanThreshold", (4.0,)),
        ("LessThanOrEqualToThreshold", (4.0, 5.0)),
    ],
)
def test_a_value_is_compared_with_the_threshold(comparison: str, alarming: tuple[float, ...]) -> None:
    one = rule(EvaluationPeriods=1, ComparisonOperator=comparison)

    assert tuple(v for v in (4.0, 5.0, 6.0) if judged(one, [v], "OK").state == "ALARM") == alarming


def test_the_reason_names_the_values() -> None:
    one = rule(EvaluationPeriods=1, TreatMissingData="breaching", ComparisonOperator="LessThanThreshold")

    assert judged(one, [1.0], "OK", [60.0]).reason == (
        "Threshold Crossed: 1 datapoint [1.0 (01/01/70 00:01:00)] was less than the threshold (5.0)."
    )
    assert judged(one, [None], "OK").reason.endswith(
        "no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching]."
    )


def test_the_periods_end_with_the_last_whole_minute_unless_there_is_a_value_since() -> None:
    one = rule(EvaluationPeriods=2, Period=300)

    assert one.windows(1030.0, None) == [(420.0, 720.0), (720.0, 1020.0)]
    assert one.windows(1030.0, 1025.0) == [(480.0, 780.0), (780.0, 1080.0)]


def test_an_alarm_on_a_band_is_left_alone() -> None:
    assert Rule.of({"ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "ad1"}) is None

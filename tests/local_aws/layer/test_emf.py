"""Metrics in log lines."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.local_aws.layer.emf import Metric, metrics_of


def line(**fields: Any) -> dict[str, Any]:
    directive = {
        "Namespace": "Stepweave",
        "Dimensions": [["env", "dag"], ["env"]],
        "Metrics": [{"Name": "RunSeconds", "Unit": "Seconds"}, {"Name": "Absent"}],
    }
    return {
        "_aws": {"CloudWatchMetrics": [directive]},
        "env": "dev",
        "dag": "churn",
        "RunSeconds": 2.5,
        **fields,
    }


def test_a_metric_is_counted_once_for_each_set_of_dimensions() -> None:
    whole = Metric(
        namespace="Stepweave",
        name="RunSeconds",
        unit="Seconds",
        dimensions={"env": "dev", "dag": "churn"},
        values=(2.5,),
    )
    found = list(metrics_of(line()))
    assert found[0] == whole
    assert [one.dimensions for one in found] == [{"env": "dev", "dag": "churn"}, {"env": "dev"}]


def test_a_list_holds_several_values() -> None:
    assert next(metrics_of(line(RunSeconds=[1, 2.5]))).values == (1.0, 2.5)


def test_a_set_with_a_dimension_that_the_line_lacks_is_passed_over() -> None:
    document = line()
    del document["dag"]
    assert [one.dimensions for one in metrics_of(document)] == [{"env": "dev"}]


def test_without_dimensions_the_metric_has_none() -> None:
    document = line()
    document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = []
    assert [one.dimensions for one in metrics_of(document)] == [{}]


@pytest.mark.parametrize(
    "document", [None, [], "text", {"_aws": 1}, {"_aws": {"CloudWatchMetrics": "x"}}, {}]
)
def test_what_is_no_line_of_metrics_has_none(document: object) -> None:
    assert list(metrics_of(document)) == []


@pytest.mark.parametrize("value", ["12", True, None, {"a": 1}])
def test_what_is_no_number_is_no_value(value: object) -> None:
    assert list(metrics_of(line(RunSeconds=value))) == []

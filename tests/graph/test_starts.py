"""A DAG that starts by itself has a value for every param."""

from __future__ import annotations

import json

import pytest

from stepweave.graph.model import DagInfo, ParamSpec
from stepweave.graph.starts import start_problems
from stepweave.triggers import S3ObjectCreated

TEXT = '{"type":"string"}'


def codes(dag: DagInfo) -> list[str | None]:
    return [problem.code for problem in start_problems(dag)]


def dag(*params: ParamSpec, param: str | None = "uri") -> DagInfo:
    return DagInfo(id="d", params=params, triggers=(S3ObjectCreated("raw/", param=param).as_trigger(),))


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        "{}",
        '{"type":["string","null"]}',
        '{"anyOf":[{"type":"string","format":"path"},{"type":"null"}]}',
    ],
)
def test_the_address_of_an_object_goes_to_a_param_that_takes_text(schema: str) -> None:
    assert codes(dag(ParamSpec(name="uri", schema_json=schema))) == []


@pytest.mark.parametrize("schema", ['{"type":"integer"}', '{"anyOf":[{"type":"number"},{"type":"null"}]}'])
def test_a_param_that_takes_no_text_is_a_mistake(schema: str) -> None:
    assert codes(dag(ParamSpec(name="uri", schema_json=schema))) == ["trigger-param"]


def test_a_trigger_may_give_nothing() -> None:
    assert codes(dag(param=None)) == []
    assert codes(dag(ParamSpec(name="rows", default_json="3"), param=None)) == []


def test_each_start_is_asked_what_it_leaves_out() -> None:
    both = DagInfo(
        id="d",
        params=(ParamSpec(name="uri", schema_json=TEXT),),
        schedule="cron(0 6 * * *)",
        triggers=(S3ObjectCreated("raw/").as_trigger(), S3ObjectCreated("late/", param=None).as_trigger()),
    )
    found = [problem.what for problem in start_problems(both)]
    assert found == [
        "the schedule cron(0 6 * * *) starts the DAG without 'uri', which a run must have",
        "the trigger S3ObjectCreated('late/') starts the DAG without 'uri', which a run must have",
    ]


def test_a_trigger_carries_the_name_of_its_param() -> None:
    assert json.loads(S3ObjectCreated("raw/", suffix=".csv", bucket="lake", param="file").as_trigger()) == {
        "type": "s3-object-created", "bucket": "lake", "prefix": "raw/", "suffix": ".csv", "param": "file",
    }  # fmt: skip

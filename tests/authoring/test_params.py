"""Params: declared by the DAG function's signature, checked before a run."""

from __future__ import annotations

import datetime
import json
import re
import shlex
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from stepweave import Param, dag, task
from stepweave.authoring.dags import Dag
from stepweave.authoring.params import DeclaredParam
from stepweave.errors import ParamsError, Problem


class Size(BaseModel):
    rows: int
    columns: int = 2


class Color(Enum):
    RED = "red"


@task
def show(*, value: Any = None) -> None: ...


@dag
def declared(
    uri: str,
    threshold: float = Param(0.8, ge=0, le=1, description="Least AUC"),
    kind: str = Param("svm", enum=["svm", "forest"]),
    seeds: list[int] = [1, 2],  # noqa: B006
    name: str = Param("a", pattern="^[a-z]+$", max_length=5),
    limit: int | None = None,
    mode: Literal["fast", "exact"] = "fast",
    day: datetime.date | None = None,
    untyped=3,
    schema: str = "public",
):
    show()


def problems_of(dag: Dag, **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(ParamsError) as raised:
        dag.validate_params(values)
    return [(problem.code, problem.what) for problem in raised.value.problems]


def test_params_are_completed_with_their_defaults_in_the_order_declared() -> None:
    params = declared.validate_params({"uri": "s3://x", "threshold": 1, "day": "2026-01-31"})

    assert json.dumps(params) == (
        '{"uri": "s3://x", "threshold": 1.0, "kind": "svm", "seeds": [1, 2], "name": "a", "limit": null, '
        '"mode": "fast", "day": "2026-01-31", "untyped": 3, "schema": "public"}'
    )


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("uri", 5, "a valid string"),
        ("threshold", 1.5, "less than or equal to 1"),
        ("threshold", "0.5", "a valid number"),
        ("threshold", True, "a valid number"),
        ("kind", "tree", "one of 'svm', 'forest'"),
        ("seeds", [1, "2"], "a valid integer"),
        ("seeds", 1, "a valid array"),
        ("name", "Anna", "should match pattern"),
        ("name", "abcdef", "at most 5 characters"),
        ("limit", 1.5, "a valid integer"),
        ("mode", "slow", "'fast' or 'exact'"),
        ("day", "31.1.2026", "a valid date"),
        ("untyped", "x", "a valid integer"),
        ("limit", 2**60, "2^53"),
        ("threshold", float("nan"), "JSON"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ParamsError) as raised:
        declared.validate_params({"uri": "x", name: value})

    assert {problem.code for problem in raised.value.problems} == {"param-value"}
    assert repr(name) in str(raised.value) or f"{name}[" in str(raised.value)
    assert expected in str(raised.value)


def test_all_wrong_params_are_reported_together() -> None:
    assert problems_of(declared, thresold=0.5, kind="tree", seeds=[2**60]) == [
        ("param-value", f"param 'seeds': the integer {2**60} is beyond 2^53 and would be rounded: "
                        "numbers of a state machine are doubles"),
        ("missing-param", "param 'uri' is required"),
        ("param-value", "param 'kind' has a wrong value"),
        ("unknown-param", "unknown param 'thresold'"),
    ]  # fmt: skip


def test_an_unknown_param_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(ParamsError, match="did you mean 'threshold'"):
        declared.validate_params({"uri": "x", "thresold": 1})


def test_a_value_that_is_no_json_is_refused() -> None:
    assert problems_of(declared, uri=object())[0][0] == "param-value"


def test_a_dag_without_params_takes_none() -> None:
    @dag
    def bare():
        show()

    assert bare.validate_params({}) == {}
    assert problems_of(bare, x=1) == [("unknown-param", "unknown param 'x'")]


def test_models_and_enums_are_params() -> None:
    @dag
    def shaped(size: Size, color: Color = Color.RED):
        show(value=size.rows)

    assert shaped.validate_params({"size": {"rows": 3}}) == {
        "size": {"rows": 3, "columns": 2},
        "color": "red",
    }
    assert problems_of(shaped, size={"rows": "3"}) == [
        ("param-value", "param \"size['rows']\" has a wrong value")
    ]
    assert [spec.default_json for spec in shaped.graph().dag.params] == [None, '"red"']


def test_the_graph_carries_defaults_and_schemas_as_json() -> None:
    specs = {spec.name: spec for spec in declared.graph().dag.params}

    assert specs["uri"].default_json is None
    assert specs["threshold"].default_json == "0.8"
    assert json.loads(specs["threshold"].schema_json) == {
        "description": "Least AUC", "maximum": 1, "minimum": 0, "type": "number",
    }  # fmt: skip
    assert json.loads(specs["kind"].schema_json)["enum"] == ["svm", "forest"]
    assert json.loads(specs["untyped"].schema_json) == {"type": "integer"}


def test_the_model_is_a_pydantic_model_with_a_field_per_param() -> None:
    model = declared.params_model()

    assert issubclass(model, BaseModel)
    assert list(model.model_json_schema()["properties"]) == [
        "uri", "threshold", "kind", "seeds", "name", "limit", "mode", "day", "untyped", "schema",
    ]  # fmt: skip


def test_text_of_a_command_line_is_read_as_declared() -> None:
    texts = {
        "uri": "5",
        "threshold": "0.5",
        "limit": "null",
        "seeds": "[3]",
        "name": "null",
        "untyped": "x",
        "new": "1",
    }

    assert declared.params_from_text(texts) == {
        "uri": "5", "threshold": 0.5, "limit": None, "seeds": [3], "name": "null", "untyped": "x", "new": 1,
    }  # fmt: skip


def test_truth_values_are_read_as_python_writes_them_too() -> None:
    @dag
    def flags(dry: bool = False, when: str | None = None):
        show()

    assert flags.params_from_text({"dry": "True", "when": "null"}) == {"dry": True, "when": None}


class Node(BaseModel):
    inner: Node | None = None
    label: str


@dag
def all_required(
    size: Size,
    color: Color,
    steps: list[int],
    rates: dict[str, float],
    pair: tuple[int, str],
    day: datetime.date,
    at: datetime.datetime,
    limit: int | None,
    flag: bool,
    node: Node,
    above: int = Param(gt=5),
    below: float = Param(lt=-5),
    most: int = Param(le=-3),
    even: int = Param(multiple_of=4, ge=4),
    long: str = Param(min_length=12),
    short: str = Param(max_length=2),
    many: list[str] = Param(min_length=3),
):
    show()


@pytest.mark.parametrize("param", [*declared.params, *all_required.params], ids=lambda param: param.name)
def test_the_example_that_a_wrong_param_is_answered_with_is_taken(param: DeclaredParam) -> None:
    owner = declared if param in declared.params else all_required
    wrong = _problems_with(owner, param.name, {"no": ["such"]})
    option, pair = shlex.split((wrong[0].fix or "").removeprefix("for example: "))
    assert option == "--param"
    name, _, text = pair.partition("=")
    assert name == param.name
    assert _problems_with(owner, name, owner.params_from_text({name: text})[name]) == []


def test_a_default_is_the_example_unless_it_is_empty() -> None:
    @dag
    def defaulted(names: list[str] = ["x", "y"], rates: dict[str, float] = {}):  # noqa: B006
        show()

    fixes = [_problems_with(defaulted, name, 1)[0].fix for name in ("names", "rates")]
    assert fixes == [
        """for example: --param 'names=["x", "y"]'""",
        """for example: --param 'rates={"name": 0.5}'""",
    ]


def test_where_no_example_is_found_the_type_alone_is_told() -> None:
    @dag
    def coded(code: str = Param(pattern="^[A-Z]{3}-[0-9]{4}$")):
        show()

    (problem,) = _problems_with(coded, "code", 5)
    assert problem.expected == "a valid string (code: str)"
    assert problem.fix == "give code a value that fits its declaration"


def _problems_with(dag: Dag, name: str, value: Any) -> list[Problem]:
    """What is wrong with a value of one param."""
    with pytest.raises(ParamsError) as raised:
        dag.validate_params({name: value, "unknown": 1})
    return [problem for problem in raised.value.problems if re.match(rf"param ['\"]{name}\b", problem.what)]

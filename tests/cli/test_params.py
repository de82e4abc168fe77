"""Params as people type them."""

from pathlib import Path

import pytest

from stepweave.cli.params import read_params
from stepweave.errors import ParamsError, UsageError
from stepweave.graph.model import ParamSpec

DECLARED = (
    ParamSpec(name="day", schema_json='{"type":"string"}'),
    ParamSpec(name="note", schema_json='{"anyOf":[{"type":"string"},{"type":"null"}]}'),
    ParamSpec(name="seed", schema_json='{"type":"integer"}'),
)


def test_a_value_is_json_where_it_can_be_read_so_and_text_otherwise() -> None:
    pairs = ["seed=7", "on=true", 'list=[1, "a"]', "uri=s3://b/k=v", "empty="]
    expected = {"seed": 7, "on": True, "list": [1, "a"], "uri": "s3://b/k=v", "empty": ""}
    assert read_params(pairs, None, DECLARED) == expected


def test_a_param_declared_as_text_stays_text() -> None:
    assert read_params(["day=2026", "note=1"], None, DECLARED) == {"day": "2026", "note": "1"}


def test_a_typed_param_goes_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_text('{"seed": 1, "day": "mon"}')
    assert read_params(["seed=2"], str(file), DECLARED) == {"seed": 2, "day": "mon"}


def test_params_without_an_equals_sign_are_reported_together() -> None:
    with pytest.raises(ParamsError) as caught:
        read_params(["seed", "=1"], None, ())
    assert [problem.code for problem in caught.value.problems] == ["param-form", "param-form"]
    assert "--param seed=VALUE" in str(caught.value)


@pytest.mark.parametrize("content, words", [("[1]", "got an array"), ("{", "is not JSON"), (None, "cannot read")])
def test_a_params_file_that_is_no_object_is_refused(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "params.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=words):
        read_params([], str(file), ())

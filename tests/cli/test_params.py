"""Params as people type them."""

from pathlib import Path

import pytest

from stepweave.authoring.dags import dag
from stepweave.cli.params import read_params
from stepweave.errors import ParamsError, UsageError


@dag
def declared(day: str = "", note: str | None = None, seed: int = 1, rows: list[int] | None = None) -> None:
    """Has params of several types."""


def read(*pairs: str, file: str | None = None) -> dict[str, object]:
    return read_params(pairs, file, declared.params_from_text)


def test_a_value_is_read_as_the_param_is_declared() -> None:
    expected = {"seed": 7, "rows": [1, 2], "day": "2026", "note": "k=v"}
    assert read("seed=7", "rows=[1, 2]", "day=2026", "note=k=v") == expected


def test_a_typed_param_goes_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_text('{"seed": 1, "day": "mon"}')
    assert read("seed=2", file=str(file)) == {"seed": 2, "day": "mon"}


def test_params_without_an_equals_sign_are_reported_together() -> None:
    with pytest.raises(ParamsError) as caught:
        read("seed", "=1")
    assert [problem.code for problem in caught.value.problems] == ["param-form", "param-form"]
    assert "--param seed=VALUE" in str(caught.value)


@pytest.mark.parametrize(
    "content, words", [("[1]", "got an array"), ("{", "is not JSON"), (None, "cannot read")]
)
def test_a_params_file_that_is_no_object_is_refused(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "params.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=words):
        read(file=str(file))

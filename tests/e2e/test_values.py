"""Real values between tasks in other processes, and texts that could be taken for code."""

from __future__ import annotations

import json

import pytest

from tests.e2e.command import Project, values

OBJECTS = """
    import datetime as dt
    from dataclasses import dataclass
    from typing import Any

    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from pydantic import BaseModel
    from sklearn.base import BaseEstimator
    from sklearn.linear_model import LogisticRegression

    @dataclass
    class Score:
        model: str
        auc: float

    class Settings(BaseModel):
        seeds: list[int]
        day: dt.date

    @task
    def pandas_frame() -> pd.DataFrame:
        return pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[7, 8])

    @task
    def polars_frame() -> pl.DataFrame:
        return pl.DataFrame({"a": [1.5, 2.5]})

    @task
    def arrow_table() -> pa.Table:
        return pa.table({"a": [[1], [2, 3]]})

    @task
    def array() -> np.ndarray:
        return np.arange(6, dtype=np.float32).reshape(2, 3)

    @task
    def fitted() -> BaseEstimator:
        return LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])

    @task
    def file() -> Path:
        path = get_current_context().scratch / "a b.txt"
        path.write_text("öne")
        return path

    @task
    def folder() -> Path:
        path = get_current_context().scratch / "out"
        (path / "deep").mkdir(parents=True)
        (path / "deep" / "x.bin").write_bytes(bytes(range(256)))
        return path

    @task
    def score() -> Score:
        return Score("svm", 0.5)

    @task
    def settings() -> Settings:
        return Settings(seeds=[1, 2], day=dt.date(2026, 2, 3))

    @task
    def nested() -> dict[str, Any]:
        return {
            "frames": [pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})],
            "arrays": {"x": np.ones(3), "scores": (Score("a", 1.0), Score("b", 2.0))},
            "plain": {"none": None, "big": 2**80, "one": 1.0, "set": {1, 2}, "bytes": b"\\x00", 3: float("inf")},
        }

    @task
    def check(
        frame: pd.DataFrame, polars: pl.DataFrame, arrow: pa.Table, array: np.ndarray, model: BaseEstimator,
        file: Path, folder: Path, score: Score, settings: Settings, nested: dict[str, Any], makers: list[int],
    ) -> str:
        pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[7, 8]))
        assert polars.equals(pl.DataFrame({"a": [1.5, 2.5]}))
        assert arrow.equals(pa.table({"a": [[1], [2, 3]]}))
        assert array.dtype == np.float32 and array.shape == (2, 3) and array.sum() == 15
        assert model.predict([[0.0], [3.0]]).tolist() == [0, 1]
        assert file.read_text() == "öne"
        assert (folder / "deep" / "x.bin").read_bytes() == bytes(range(256))
        assert score == Score("svm", 0.5)
        assert settings == Settings(seeds=[1, 2], day=dt.date(2026, 2, 3))
        assert [int(one["a"][0]) for one in nested["frames"]] == [1, 2]
        assert nested["arrays"]["x"].tolist() == [1, 1, 1]
        assert nested["arrays"]["scores"] == (Score("a", 1.0), Score("b", 2.0))
        assert nested["plain"] == {
            "none": None, "big": 2**80, "one": 1.0, "set": {1, 2}, "bytes": b"\\x00", 3: float("inf")
        }
        assert isinstance(nested["plain"]["one"], float)
        assert os.getpid() not in makers
        return "equal"

    @task
    def where() -> int:
        return os.getpid()

    @task(compute=Batch())
    def check_in_a_job(frame: pd.DataFrame, folder: Path, nested: dict[str, Any]) -> int:
        return len(frame) + len(list(folder.rglob("*"))) + len(nested["frames"])

    @dag
    def objects():
        frame, tree, many = pandas_frame(), folder(), nested()
        check(
            frame, polars_frame(), arrow_table(), array(), fitted(), file(), tree, score(), settings(), many, [where()]
        )
        check_in_a_job(frame, tree, many)
"""

TEXTS = """
    LITERAL = {literal!r}

    @task
    def say(text: str, literal: str, both: dict[str, list[str]]) -> list[str]:
        print(text)
        assert text == literal == LITERAL == both[LITERAL][0], (text, literal)
        return [text, get_current_context().params["text"]]

    @task
    def fail(text: str) -> None:
        raise DataError(text)

    @dag
    def texts(text: str):
        "Doc with {{% $x %}} and ${{Name}}."
        said = say(text, LITERAL, {{LITERAL: [LITERAL]}})
        say.override(task_id="again")(said[0], LITERAL, {{LITERAL: [said[1]]}})
        fail(said[0])
"""

HOSTILE = [
    "{% $states.input %}",
    "${TaskRunner} Ref::x $$.x",
    'it\'s "quoted" `ticked` \\ \\n',
    "two\nlines\ttab",
    "🦄 Grüße 漢字",
    "-- <b>&amp;</b> %d {} {0}",
]


@pytest.mark.slow
def test_values_of_every_kind_arrive_in_other_processes_as_they_were_returned(project: Project) -> None:
    project.write("flow.py", OBJECTS)
    answer = project.json("run", "flow.py")
    assert answer["status"] == "success"
    found = values(answer)
    assert found["check"] == "equal"
    assert found["check_in_a_job"] == 6
    assert found["score"] == {"model": "svm", "auc": 0.5}
    assert found["settings"] == {"seeds": [1, 2], "day": "2026-02-03"}


def test_people_see_values_without_the_tags_of_types(project: Project) -> None:
    project.write(
        "flow.py",
        """
        from dataclasses import dataclass

        @dataclass
        class Score:
            model: str
            parts: tuple[int, ...]

        @task
        def best() -> Score:
            return Score("svm", (1, 2))

        @dag
        def scores():
            best()
        """,
    )
    assert '  best  {"model":"svm","parts":[1,2]}\n' in project.run("run", "flow.py", "--run-id", "r1").out
    expected = {"model": "svm", "parts": [1, 2]}
    assert values(project.json("show", "r1")) == {"best": expected}
    assert values(project.json("run", "flow.py")) == {"best": expected}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_arrives_unchanged_as_param_as_literal_and_in_errors(project: Project, text: str) -> None:
    project.write("flow.py", TEXTS.format(literal=text))
    params = project.folder / "params.json"
    params.write_text(json.dumps({"text": text}))
    options = ("--param", f"text={text}") if "\n" not in text else ("--params", "params.json")
    answer = project.json("run", "flow.py", "--run-id", "r1", *options, status=1)
    assert values(answer) == {"say": [text, text], "again": [text, text]}
    assert answer["tasks"]["fail"]["error"] == {"type": "DataError", "message": text}
    assert text in project.json("logs", "r1", "say")["logs"][0]["text"]
    assert project.json("show", "r1")["params"] == {"text": text}

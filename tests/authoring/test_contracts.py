"""Which annotations of a producer and a consumer may meet on an edge."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, Protocol, TypedDict, TypeVar

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pydantic import BaseModel
from typing_extensions import TypedDict as BackportedTypedDict

from stepweave.authoring.contracts import (
    NoSuchPartError,
    at_path,
    can_be,
    fixed_length,
    kind_of,
    type_name,
    value_fits,
)
from stepweave.authoring.shapes import hints


class Animal: ...


class Cat(Animal): ...


class Stone: ...


class Color(enum.Enum):
    RED = "red"


class Row(TypedDict):
    name: str
    age: NotRequired[int]


class Person(TypedDict):
    name: str
    mail: str


@dataclass
class Score:
    auc: float
    label: str | None = None

    @property
    def good(self) -> bool:
        return self.auc > 0.5


class Line(BackportedTypedDict):
    name: str


class Model(BaseModel):
    rows: list[Line]
    best: Score


class Pair(NamedTuple):
    left: int
    right: str


class Fits(Protocol):
    def fit(self) -> None: ...


T = TypeVar("T")
UserId = NewType("UserId", int)

POSSIBLE = [
    (int, int), (int, float), (bool, int), (bool, float), (int, complex), (str, Any), (Any, int),
    (int, object), (T, int),
    (str | None, str), (str, str | None), (int | str, str), (list[int], list[float]), (list, list[int]),
    (tuple[int, ...], list[int]),
    (list[int], tuple[int, int]), (tuple[int, str], tuple[int, str]), (list[int], Sequence[int]),
    (list[int], Iterable[int]),
    (dict[str, int], Mapping[str, float]), (dict, Score), (Score, dict), (Row, dict[str, Any]), (dict, Model),
    (Model, Score),
    (Row, Row), (Cat, Animal), (Animal, Cat), (Annotated[int, "unit"], float), (UserId, int),
    (Literal["a"], str),
    (str, Literal["a"]), (str, Path), (str, datetime.datetime), (str, Color), (list[int], set[int]),
    (Stone, Fits),
    (NDArray[np.float64], NDArray[np.int64]), (pd.DataFrame, pd.DataFrame),
    (dict[str, pd.DataFrame], dict[str, Any]),
    (list[int | None], list[int]), ("Unknown", int), (type(None), None), (Path, str | Path),
]  # fmt: skip

IMPOSSIBLE = [
    (str, int), (float, int), (int, bool), (int, str), (dict, list), (list, dict), (list, str), (str, list),
    (None, int),
    (int, None), (list[str], list[int]), (dict[str, int], dict[str, str]),
    (tuple[int, str], tuple[int, str, str]),
    (tuple[str, int], tuple[int, int]), (Cat, Stone), (Row, Person), (Score, int), (str, Score),
    (pd.DataFrame, np.ndarray),
    (Literal["a"], int), (Literal["a"], Literal["b"]), (int, Literal["a"]), (int, Path), (str | None, int),
    (bytes, list[int]),
]  # fmt: skip


@pytest.mark.parametrize("source, target", POSSIBLE)
def test_what_may_match_passes(source: Any, target: Any) -> None:
    assert can_be(source, target)


@pytest.mark.parametrize("source, target", IMPOSSIBLE)
def test_what_can_never_match_does_not_pass(source: Any, target: Any) -> None:
    assert not can_be(source, target)


@pytest.mark.parametrize(
    "value, target",
    [(1, float), (True, int), ("a", Literal["a", "b"]), ([1, 2], list[float]), ([], list[int]),
     ({}, dict[str, int]),
     ((1, "a"), tuple[int, str]), ([1, 2], tuple[int, int]), (None, int | None), ({"a": 1}, Score),
     ("red", Color),
     ("2026-01-01", datetime.date), ("/tmp", Path), ([1], set[int]), ({"a": [1]}, Mapping[str, list[int]])],
)  # fmt: skip
def test_a_literal_that_fits_passes(value: Any, target: Any) -> None:
    assert value_fits(value, target)


@pytest.mark.parametrize(
    "value, target",
    [(1.5, int), (1, bool), ("c", Literal["a", "b"]), (1, Literal[True]), ([1, "2"], list[int]),
     ({"a": "x"}, dict[str, int]),
     ([1, 2, 3], tuple[int, int]), (None, int), ("green", Color), ("a", list[str])],
)  # fmt: skip
def test_a_literal_that_cannot_fit_does_not_pass(value: Any, target: Any) -> None:
    assert not value_fits(value, target)


@pytest.mark.parametrize(
    "annotation, path, expected",
    [(Row, ("name",), str), (Row, ("age",), int), (Score, ("auc",), float), (Score, ("good",), Any),
     (Model, ("rows", 0, "name"), str), (Model, ("best", "auc"), float), (Pair, ("right",), str),
     (dict[str, int], ("k",), int), (list[Row], (3, "name"), str), (tuple[int, str], (1,), str),
     (tuple[int, str], (-1,), str),
     (Score | None, ("auc",), float), (Score | Row, ("auc",), Any), (Any, ("a", 0), Any), (dict, ("k",), Any),
     (pd.DataFrame, ("column",), Any), (Score, ("label",), str | None)],
)  # fmt: skip
def test_the_type_of_a_part_is_known_where_it_can_be(annotation: Any, path: Any, expected: Any) -> None:
    assert at_path(annotation, path) == expected


@pytest.mark.parametrize(
    "annotation, path, says",
    [(Row, ("nam",), "Row has no 'nam'"), (Line, ("nam",), "Line has no 'nam'"),
     (Score, ("acu",), "Score has no 'acu'"), (Model, ("rows", "x"), "has no 'x'"),
     (Model, ("best", "x"), "Score has no 'x'"), (Model, ("bests",), "Model has no 'bests'"),
     (int, ("k",), "int has no part"),
     (None, (0,), "None has no part"), (tuple[int, str], (2,), "has 2 items")],
)  # fmt: skip
def test_a_part_that_no_value_has_is_refused(annotation: Any, path: Any, says: str) -> None:
    if annotation is None:
        annotation = type(None)
    with pytest.raises(NoSuchPartError, match=says.replace("[", r"\[")):
        at_path(annotation, path)


@pytest.mark.parametrize(
    "annotation, kind",
    [(int, "number"), (bool, "bool"), (str, "text"), (list[int], "list"), (dict, "dict"), (Score, "dict"),
     (Row, "dict"),
     (str | None, None), (Any, None), (pd.DataFrame, None)],
)  # fmt: skip
def test_the_kind_of_a_value_is_known_where_the_annotation_tells_it(
    annotation: Any, kind: str | None
) -> None:
    assert kind_of(annotation) == kind


def test_only_a_tuple_of_known_items_has_a_fixed_length() -> None:
    assert fixed_length(tuple[int, str]) == 2
    assert fixed_length(tuple[int, ...]) is None
    assert fixed_length(list[int]) is None


def test_an_annotation_is_named_as_it_is_written() -> None:
    assert [type_name(one) for one in (int, type(None), list[int], int | None)] == [
        "int",
        "None",
        "list[int]",
        "int | None",
    ]


def test_annotations_that_do_not_resolve_are_unknown_and_the_others_are_kept() -> None:
    local = Score

    def consumer(known: int, unknown: Nowhere, nearby: local) -> None:  # type: ignore[name-defined,valid-type]  # noqa: F821
        _ = local

    found = hints(consumer)

    assert found["known"] is int
    assert found["unknown"] is Any
    assert found["nearby"] is Score

"""What is settled without pydantic is settled as pydantic would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepweave.authoring.params import Declaration, DeclaredParam, Param
from stepweave.authoring.simple_params import simple_specs, simple_values
from stepweave.authoring.validation import param_specs, params_model, validate
from stepweave.errors import ParamsError


def declared(annotation: Any, declaration: Declaration) -> tuple[DeclaredParam, ...]:
    return (DeclaredParam(name="x", annotation=annotation, declaration=declaration),)


SIMPLE = [
    declared(str, Param()),
    declared(str, Param("a", min_length=1, max_length=3, description="A name")),
    declared(str, Param("a", enum=["a", "b"])),
    declared(int, Param(2, ge=0, lt=10)),
    declared(int, Param(2, gt=0, le=10, enum=[1, 2])),
    declared(float, Param(0.5, ge=0, le=1)),
    declared(float, Param(1)),
    declared(bool, Param(True)),
]

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.lists(st.just(1))
)


@pytest.mark.parametrize("params", SIMPLE)
def test_specs_are_those_of_pydantic(params: tuple[DeclaredParam, ...]) -> None:
    specs, problems = param_specs(params)

    assert problems == []
    assert simple_specs(params) == specs


@pytest.mark.parametrize("params", SIMPLE)
@given(value=VALUES)
def test_values_are_those_of_pydantic_or_left_to_it(params: tuple[DeclaredParam, ...], value: Any) -> None:
    found = simple_values(params, {"x": value})

    if found is not None:
        assert found == validate(params_model("dag", params), {"x": value})
        assert type(found["x"]) is params[0].annotation


@pytest.mark.parametrize("params", SIMPLE[1:])
def test_defaults_are_filled_in_as_by_pydantic(params: tuple[DeclaredParam, ...]) -> None:
    assert simple_values(params, {}) == validate(params_model("dag", params), {})


@pytest.mark.parametrize(
    "annotation, declaration",
    [(list[int], Param([1])), (int | None, Param(1)), (Any, Param(1)), (str, Param("a", pattern="a")),
     (str, Param("a", ge=0)), (int, Param("a")), (float, Param(2.0, le=1)), (int, Param(2**60)), (int, Param(True))],
)  # fmt: skip
def test_what_is_not_simple_or_not_right_is_left_to_pydantic(
    annotation: Any, declaration: Declaration
) -> None:
    assert simple_specs(declared(annotation, declaration)) is None


def test_missing_and_unknown_params_are_left_to_pydantic() -> None:
    assert simple_values(SIMPLE[0], {}) is None
    assert simple_values(SIMPLE[0], {"x": "a", "y": 1}) is None
    with pytest.raises(ParamsError):
        validate(params_model("dag", SIMPLE[0]), {"x": "a", "y": 1})

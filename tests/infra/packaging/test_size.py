"""A function that is too large for Lambda is refused with what makes it large."""

from __future__ import annotations

import pytest

from infra.packaging.size import LAMBDA_MAX_UNZIPPED_BYTES, check_size, without_bytecode
from stepweave.errors import UsageError

MIB = 2**20


def test_the_largest_that_fits_fits() -> None:
    check_size("the function f", LAMBDA_MAX_UNZIPPED_BYTES, {"torch": LAMBDA_MAX_UNZIPPED_BYTES})
    with pytest.raises(UsageError):
        check_size("the function f", LAMBDA_MAX_UNZIPPED_BYTES + 1, {"torch": LAMBDA_MAX_UNZIPPED_BYTES})


def test_the_error_names_the_largest_parts_and_three_ways_out() -> None:
    parts = {"small": MIB, "scipy": 101 * MIB, "pyarrow": 105 * MIB, "numpy": 42 * MIB, "pandas": 29 * MIB,
             "b": 2 * MIB, "a": 2 * MIB, "scikit-learn": 31 * MIB}  # fmt: skip
    with pytest.raises(UsageError) as raised:
        check_size("the function of train", sum(parts.values()), parts)
    text = str(raised.value)
    assert "the function of train is too large for Lambda" in text
    assert "at most 250 MiB, unzipped" in text
    assert "313.0 MiB" in text
    named = [line.split()[0] for line in text.splitlines() if line.endswith(" MiB")]
    assert named == ["pyarrow", "scipy", "numpy", "scikit-learn", "pandas", "a"]
    assert "@task(requirements=...)" in text
    assert "compute=Batch" in text


SPARE = MIB
PARTS = {"scipy": 14 * MIB, "pandas": 9 * MIB, "scikit-learn": 7 * MIB, "numpy": 4 * MIB, "pydantic": 2 * MIB}


def left_out(too_much: int, *needed: str) -> tuple[str, ...]:
    """Parts without bytecode where all of it would be ``too_much`` bytes over the limit."""
    sources = LAMBDA_MAX_UNZIPPED_BYTES - SPARE - sum(PARTS.values()) + too_much
    return without_bytecode(sources, PARTS, needed)


def test_all_bytecode_stays_that_fits() -> None:
    assert left_out(0) == ()


def test_the_smallest_goes_that_is_enough() -> None:
    assert left_out(1) == ("pydantic",)
    assert left_out(8 * MIB) == ("pandas",)


def test_the_largest_goes_first_where_none_is_enough() -> None:
    assert left_out(15 * MIB) == ("scipy", "pydantic")
    assert left_out(26 * MIB) == ("scipy", "pandas", "numpy")


def test_what_every_start_needs_stays_until_nothing_else_is_left() -> None:
    assert left_out(1, "pydantic", "numpy") == ("scikit-learn",)
    assert left_out(33 * MIB, "pydantic", "numpy") == ("scipy", "pandas", "scikit-learn", "numpy")
    assert set(left_out(100 * MIB, "pydantic")) == PARTS.keys()

"""A function that is too large for Lambda is refused with what makes it large."""

from __future__ import annotations

import pytest

from infra.packaging.size import LAMBDA_MAX_UNZIPPED_BYTES, check_size
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

"""A DAG that fails until its code is mended."""

from __future__ import annotations

from stepweave import dag, task
from stepweave.errors import DataError


@task
def good() -> str:
    """Returns something."""
    return "kept"


@task
def bad() -> str:
    """Returns something, once it is mended."""
    wanted = False
    if not wanted:
        raise DataError("line 3 has four columns, expected five")
    return "mended"


@task
def join(left: str, right: str) -> str:
    """Returns both."""
    return f"{left} and {right}"


@dag
def mendable() -> None:
    """Fails until it is mended."""
    join(good(), bad())

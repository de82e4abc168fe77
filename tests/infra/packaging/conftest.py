"""A project with a lock file, whose distributions are wheels on disk: packing it needs no network."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from infra.packaging import uv
from tests.infra.packaging.projects import wheel, write

PROJECT = {
    "pyproject.toml": """
        [project]
        name = "shop"
        version = "1"
        requires-python = ">=3.11"
        dependencies = ["tables>=1", "large", "awskit", "boto3", "rpc", "aws-lambda-powertools"]
        [tool.uv]
        package = false
        no-index = true
        find-links = ["wheels"]
    """,
    "shop/__init__.py": "",
    "shop/sales.py": """
        import tables
        from shop import rates

        def total(prices):
            return tables.added(prices) * rates.EURO

        def scaled(prices):
            return _by(prices)

        def _by(prices):
            import large
            return large.FACTOR * len(prices)
    """,
    "shop/rates.py": "EURO = 2",
    "shop/unused.py": "",
    "functions/echo/handler.py": """
        import importlib
        import aws_lambda_powertools

        def handler(event, context):
            module, _, name = event["call"].partition(":")
            return getattr(importlib.import_module(module), name)(event["prices"])
    """,
}
"""Requires tables and what that requires; large is locked, but needed by one function only."""


def _wheels(folder: Path) -> None:
    wheel(
        folder,
        "tables",
        "1.0",
        {"tables/__init__.py": b"from tables.sums import added\n"} | _TABLES,
        ("sums>=1",),
    )
    wheel(
        folder,
        "tables",
        "2.0",
        {"tables/__init__.py": b"def added(prices):\n    return 1000\n"},
        ("sums>=1",),
    )
    wheel(folder, "sums", "1.5", {"sums.py": b"plus = sum\n"})
    wheel(folder, "floating", "3.0", {"floating.py": b""})
    wheel(folder, "large", "1.0", {"large.py": b"FACTOR = 7\n", "large_data/table.bin": b"\0" * 300_000})
    wheel(folder, "boto3", "1.40", {"boto3/__init__.py": b""}, ("botocore",))
    wheel(folder, "botocore", "1.40", {"botocore/__init__.py": b""})
    wheel(folder, "awskit", "1.0", {"awskit.py": b""}, ("botocore",))
    wheel(folder, "rpc", "1.0", {"rpc.py": b"from pyarrow import flight\n"}, ("pyarrow",))
    wheel(folder, "pyarrow", "26.0", _PYARROW)
    wheel(folder, "aws-lambda-powertools", "3.30", {"aws_lambda_powertools/__init__.py": b""})


_TABLES = {
    "tables/sums.py": b"from sums import plus as added\n",
    "tables/tests/test_sums.py": b"",
    "tables/deep/tests/data.csv": b"1",
    "tables/deep/__init__.py": b"",
    "tables/speed.c": b"int main;",
    "tables/types.pyi": b"",
    "tables/lib/libfast.so": b"\x7fELF",
    "tables/lib/libfast.so.3": b"\x7fELF",
    "tables/lib/libfast.so.3.1.0": b"\x7fELF",
    "tables/lib/libother.so": b"\x7fELF",
}
_PYARROW = {
    "pyarrow/__init__.py": b"",
    "pyarrow/flight.py": b"",
    "pyarrow/_flight.cpython-313.so": b"\x7fELF",
    "pyarrow/libarrow_flight.so.2600": b"\x7fELF",
    "pyarrow/libarrow_python_flight.so.2600": b"\x7fELF",
    "pyarrow/libarrow.so.2600": b"\x7fELF",
}


@pytest.fixture(scope="session")
def locked_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project; to be copied, not to be changed."""
    root = write(tmp_path_factory.mktemp("project"), PROJECT)
    _wheels(root / "wheels")
    # tables 2.0 exists, and the lock file says 1.0.
    (root / "wheels" / "tables-2.0-py3-none-any.whl").rename(root / "later.whl")
    subprocess.run([uv.executable(), "lock", "--quiet", "--offline"], cwd=root, check=True)
    (root / "later.whl").rename(root / "wheels" / "tables-2.0-py3-none-any.whl")
    return root


@pytest.fixture
def project(locked_project: Path, tmp_path: Path) -> Path:
    """A copy of the project."""
    return shutil.copytree(locked_project, tmp_path / "project")

"""What a module imports is read from its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.packaging.imports import Imports, imports_of
from stepweave.errors import UsageError
from tests.infra.packaging.projects import write


def read(folder: Path, source: str, *, module: str = "shop.sales.daily", package: bool = False) -> Imports:
    name = module.replace(".", "/") + ("/__init__.py" if package else ".py")
    write(folder, {name: source})
    return imports_of(folder / name, module)


def names(found: Imports) -> list[tuple[str, tuple[str, ...], str]]:
    return [(one.module, one.members, one.scope) for one in found.static]


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        import os, pandas as pd
        from numpy import linalg

        class Model:
            import joblib

        def train():
            from sklearn.svm import SVC
            if True:
                import scipy.stats

        async def later():
            import aiohttp
        """,
    )
    assert names(found) == [
        ("os", (), "module"),
        ("pandas", (), "module"),
        ("numpy", ("linalg",), "module"),
        ("joblib", (), "module"),
        ("sklearn.svm", ("SVC",), "function"),
        ("scipy.stats", (), "function"),
        ("aiohttp", (), "function"),
    ]
    assert [one.line for one in found.static[:3]] == [1, 1, 2]


@pytest.mark.parametrize(
    "package, source, expected",
    [
        (False, "from . import rates", ("shop.sales", ("rates",))),
        (False, "from .rates import euro", ("shop.sales.rates", ("euro",))),
        (False, "from ..stock import level", ("shop.stock", ("level",))),
        (True, "from .rates import euro", ("shop.sales.daily.rates", ("euro",))),
        (True, "from .. import stock", ("shop.sales", ("stock",))),
    ],
)
def test_relative_imports_are_those_of_the_package(
    tmp_path: Path, package: bool, source: str, expected: tuple[str, tuple[str, ...]]
) -> None:
    (only,) = read(tmp_path, source, package=package).static
    assert (only.module, only.members) == expected


def test_what_only_a_type_checker_reads_is_no_import(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        import typing
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import torch
        else:
            import numpy
        if typing.TYPE_CHECKING:
            import jax
        """,
    )
    assert [one.module for one in found.static] == ["typing", "typing", "numpy"]


@pytest.mark.parametrize(
    "error", ["ImportError", "ModuleNotFoundError", "(OSError, ImportError)", "Exception", ""]
)
def test_an_import_that_may_fail_is_guarded(tmp_path: Path, error: str) -> None:
    found = read(
        tmp_path,
        f"""
        try:
            import ujson as json
        except {error}:
            import json
        else:
            import fast
        """,
    )
    assert names(found) == [("ujson", (), "guarded"), ("json", (), "guarded"), ("fast", (), "module")]


def test_an_import_that_hangs_on_a_condition_is_guarded(tmp_path: Path) -> None:
    found = read(
        tmp_path, "import sys\nif sys.version_info < (3, 11):\n    import tomli\nelse:\n    import tomllib\n"
    )
    assert names(found) == [("sys", (), "module"), ("tomli", (), "guarded"), ("tomllib", (), "guarded")]


def test_an_import_whose_failure_nobody_catches_is_none_of_these(tmp_path: Path) -> None:
    found = read(tmp_path, "try:\n    import numpy\nexcept OSError:\n    pass\n")
    assert names(found) == [("numpy", (), "module")]


def test_modules_that_are_imported_by_name_are_found_in_constants_and_tables(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        import importlib
        from importlib import import_module
        _HOME = "shop.codecs"
        _BY_KIND = {"csv": "tables", "json": "texts"}

        def load(kind):
            import_module("shop.plain")
            importlib.import_module(f"{_HOME}.{_BY_KIND[kind]}")
            return importlib.import_module(f"{_HOME}.fixed")
        """,
    )
    assert [one.module for one in found.static][2:] == [
        "shop.plain", "shop.codecs.tables", "shop.codecs.texts", "shop.codecs.fixed",
    ]  # fmt: skip
    assert found.packages == ()


@pytest.mark.parametrize(
    "argument, package",
    [
        ("f'shop.codecs.{name}'", "shop.codecs"),
        ("f'{__package__}.{name}'", "shop.sales"),
        ("f'{HOME}.{name}'", "shop.sales"),
    ],
)
def test_a_name_that_is_known_only_at_run_time_means_every_module_of_a_package(
    tmp_path: Path, argument: str, package: str
) -> None:
    found = read(
        tmp_path,
        f"import importlib\nHOME = home()\n\ndef load(name):\n    importlib.import_module({argument})\n",
    )
    assert found.packages == (package,)


def test_a_file_that_is_no_python_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"daily\.py:2: .* nobody can tell what it imports"):
        read(tmp_path, "a = 1\nb = = 2\n")

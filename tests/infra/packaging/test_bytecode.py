"""A bundle carries the bytecode of all that fits, and runs without compiling anything."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.packaging.bundle import Bundle, bundle
from infra.packaging.bytecode import Bytecode, bytecode_of
from infra.packaging.dependencies import Dependencies, dependencies
from infra.packaging.profile import Kind, Profile, local_profile
from infra.packaging.size import LAMBDA_MAX_UNZIPPED_BYTES

ENTRY = "functions.echo.handler"
CODE = {"shop/rates.py": b"EURO = 2\n", "dag.json": b"{}"}
SPARE = 2**20
COMPILES_NOTHING = """
import sys
from importlib.machinery import SourceFileLoader
compiling = SourceFileLoader.source_to_code
def refused(self, data, path, **options):
    if path.startswith(sys.argv[1]):
        raise SystemExit(f"{path} is compiled")
    return compiling(self, data, path, **options)
SourceFileLoader.source_to_code = refused
sys.path.insert(0, sys.argv[1])
from functions.echo.handler import handler
print(handler({"call": "shop.sales:total", "prices": [1, 2, 3]}, None))
"""


def pack(root: Path, profile: Profile) -> Bundle:
    return bundle(ENTRY, ("shop.sales",), profile, root)


def without_compiling(place: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-B", "-c", COMPILES_NOTHING, str(place)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pyc(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.pyc")}


@pytest.mark.parametrize("kind", ["lambda", "batch"])
def test_nothing_is_compiled_when_it_starts(project: Path, kind: Kind) -> None:
    done = without_compiling(pack(project, local_profile(kind, ("tables",))).path)
    assert (done.stdout, done.stderr) == ("12\n", "")


def test_a_module_without_bytecode_would_be_noticed(project: Path) -> None:
    made = pack(project, local_profile("lambda", ("tables",)))
    tag = sys.implementation.cache_tag
    (made.path / "shop" / "__pycache__" / f"rates.{tag}.pyc").unlink()
    assert without_compiling(made.path).stderr == f"{made.path}/shop/rates.py is compiled\n"


def test_a_version_that_is_not_on_this_machine_goes_without(project: Path) -> None:
    made = pack(project, Profile(kind="lambda", python="3.99", requirements=("tables",)))
    assert made.bytecode == Bytecode(files={}, folders=(), total_bytes=0, without=(), format="")
    assert pyc(made.path) == set()
    assert (made.path / "tables" / "__init__.py").is_file()


def test_with_bytecode_it_is_another_bundle(project: Path) -> None:
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    one, two = (
        pack(project, Profile(kind="lambda", python=python, requirements=("tables",)))
        for python in (this, "3.99")
    )
    assert one.digest != two.digest, "else the code that was deployed first would stay"
    assert one.unzipped_bytes - one.bytecode.total_bytes == two.unzipped_bytes


def unpack(root: Path, room: int) -> Dependencies:
    """Three distributions; sources leave ``room`` bytes of Lambda's limit."""
    found = dependencies(local_profile("lambda"), ["tables", "large"], root, root / "cache")
    return replace(found, bytes={"large": LAMBDA_MAX_UNZIPPED_BYTES - room - sum(map(len, CODE.values()))})


def of(root: Path, room: int, kind: Kind = "lambda") -> Bytecode:
    needed = {"sums", "your code"}
    return bytecode_of(local_profile(kind), CODE, unpack(root, room), needed, root / "cache")


def test_of_what_does_not_fit_a_library_goes_without(project: Path) -> None:
    plenty = of(project, 2 * SPARE)
    assert plenty.without == ()
    assert [folder.name for folder in plenty.folders] == ["large", "sums", "tables"]
    assert of(project, SPARE + plenty.total_bytes).without == ()
    less = of(project, SPARE + plenty.total_bytes - 1)
    assert less.without == ("large",)
    assert [folder.name for folder in less.folders] == ["sums", "tables"]
    assert less.total_bytes < plenty.total_bytes


def test_what_every_start_needs_goes_without_last(project: Path) -> None:
    nothing = of(project, SPARE)
    assert set(nothing.without[:2]) == {"tables", "large"}
    assert set(nothing.without[2:]) == {"sums", "your code"}
    assert (nothing.files, nothing.folders, nothing.total_bytes) == ({}, (), 0)


def test_a_job_has_room_for_all(project: Path) -> None:
    assert of(project, 0, "batch").without == ()


def test_data_files_are_not_compiled(project: Path) -> None:
    tag = sys.implementation.cache_tag
    assert list(of(project, 2 * SPARE).files) == [f"shop/__pycache__/rates.{tag}.pyc"]

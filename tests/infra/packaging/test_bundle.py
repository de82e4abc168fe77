"""A bundle runs by itself, is the same everywhere, and lacks nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.packaging.bundle import Bundle, bundle
from infra.packaging.profile import Profile, local_profile
from stepweave.errors import DagError, UsageError
from tests.infra.packaging.projects import write

ENTRY = "functions.echo.handler"
RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from functions.echo.handler import handler
print(json.dumps(handler(json.loads(sys.argv[2]), None)))
"""


def pack(
    root: Path,
    *requirements: str,
    profile: Profile | None = None,
    calls: tuple[str, ...] = (),
    files: Mapping[str, bytes] | None = None,
    cache: Path | None = None,
) -> Bundle:
    profile = profile or local_profile("lambda", requirements or ("tables",))
    return bundle(ENTRY, ("shop.sales",), profile, root, calls=calls, files=files, cache=cache)


def answer(place: Path, call: str) -> object:
    """What the handler says in a process that sees nothing but the bundle and Python's own library."""
    event = json.dumps({"call": call, "prices": [1, 2, 3]})
    command = [sys.executable, "-I", "-S", "-B", "-c", RUN, str(place), event]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def paths(made: Bundle) -> set[str]:
    return {path.relative_to(made.path).as_posix() for path in made.path.rglob("*") if path.is_file()}


def test_a_bundle_runs_with_nothing_else_installed(project: Path) -> None:
    assert answer(pack(project).path, "shop.sales:total") == 12


def test_its_zip_runs_too_and_holds_the_same_files(project: Path, tmp_path: Path) -> None:
    made = pack(project, files={"dag.json": b"{}"})
    with zipfile.ZipFile(made.archive) as archive:
        assert set(archive.namelist()) == paths(made)
        assert archive.read("dag.json") == b"{}"
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        archive.extractall(tmp_path / "task")
    assert answer(tmp_path / "task", "shop.sales:total") == 12


def test_only_what_is_reached_travels(project: Path) -> None:
    made = pack(project)
    assert made.modules == ("functions.echo.handler", "shop", "shop.rates", "shop.sales")
    assert "shop/unused.py" not in paths(made)
    assert "large.py" not in paths(made)


def test_the_same_project_gives_the_same_bytes_in_another_folder(project: Path, tmp_path: Path) -> None:
    other = shutil.copytree(project, tmp_path / "elsewhere" / "copy")
    one, two = pack(project), pack(other)
    assert one.digest == two.digest
    assert one.archive != two.archive
    assert one.archive.read_bytes() == two.archive.read_bytes()


@pytest.mark.parametrize("change", ["module", "file", "requirement"])
def test_another_content_gives_another_digest(project: Path, tmp_path: Path, change: str) -> None:
    before = pack(project)
    other = shutil.copytree(project, tmp_path / "changed")
    if change == "module":
        write(other, {"shop/rates.py": "EURO = 3"})
    requirements = ("tables", "large") if change == "requirement" else ("tables",)
    after = pack(other, *requirements, files={"dag.json": b"{}"} if change == "file" else None)
    assert after.digest != before.digest


def test_a_module_that_does_not_travel_changes_nothing(project: Path, tmp_path: Path) -> None:
    other = shutil.copytree(project, tmp_path / "changed")
    write(other, {"shop/unused.py": "import nothing", "shop/new.py": ""})
    assert pack(other).digest == pack(project).digest


def test_a_second_bundle_with_the_same_dependencies_shares_them(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    one, two = pack(project, cache=cache), pack(project, files={"dag.json": b"{}"}, cache=cache)
    assert one.dependencies == two.dependencies
    assert (one.path / "sums.py").samefile(two.path / "sums.py")


def test_sizes_are_told_by_distribution_the_largest_first(project: Path) -> None:
    made = pack(project, "tables", "large")
    assert made.largest[0] == ("large", made.largest[0][1])
    assert {name for name, _ in made.largest} == {
        "large",
        "tables",
        "sums",
        "aws-lambda-powertools",
        "your code",
    }
    assert made.unzipped_bytes == sum(
        path.stat().st_size for path in made.path.rglob("*") if path.is_file()
    ) - (_about_installations(made.path))


def _about_installations(folder: Path) -> int:
    """Bytes that no RECORD counts: none, since the metadata of a distribution are its own files."""
    return sum(path.stat().st_size for path in folder.rglob("*.lock"))


def test_an_import_at_the_top_that_no_requirement_brings_is_told_with_its_place(project: Path) -> None:
    with pytest.raises(DagError) as raised:
        pack(project, "large")
    (problem,) = raised.value.problems
    assert (problem.code, problem.file, problem.line) == (
        "missing-requirement",
        str(project / "shop/sales.py"),
        1,
    )
    assert "module shop.sales imports tables at its top" in problem.what
    assert "@dag(requirements=[...])" in (problem.fix or "")


def test_an_import_inside_a_task_is_missed_where_that_task_runs(project: Path) -> None:
    assert pack(project, calls=("shop.sales:total",)).modules
    with pytest.raises(DagError) as raised:
        pack(project, calls=("shop.sales:total", "shop.sales:scaled"))
    (problem,) = raised.value.problems
    assert "task scaled imports large, which none of its requirements brings" in problem.what
    assert "@task(requirements=[...])" in (problem.fix or "")


def test_an_import_inside_a_task_is_found_where_it_is_required(project: Path) -> None:
    made = pack(project, "tables", "large", calls=("shop.sales:scaled",))
    assert answer(made.path, "shop.sales:scaled") == 21


def test_what_is_imported_if_it_is_there_need_not_be_there(project: Path) -> None:
    write(
        project,
        {"shop/rates.py": "try:\n    import ujson\nexcept ImportError:\n    ujson = None\nEURO = 2\n"},
    )
    assert answer(pack(project).path, "shop.sales:total") == 12


def test_our_own_code_brings_what_it_imports_without_being_asked(project: Path) -> None:
    assert "aws_lambda_powertools/__init__.py" in paths(pack(project))


def test_a_handler_that_does_not_exist_is_an_error(project: Path) -> None:
    with pytest.raises(UsageError, match=r"'functions\.echo\.main' is not found"):
        bundle("functions.echo.main", (), local_profile("lambda"), project)


def test_a_bundle_for_lambda_installs_wheels_of_its_platform(project: Path) -> None:
    made = pack(project, profile=Profile(kind="lambda", architecture="arm64", requirements=("tables",)))
    assert "tables/__init__.py" in paths(made)
    assert answer(made.path, "shop.sales:total") == 12

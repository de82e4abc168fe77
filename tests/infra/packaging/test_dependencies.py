"""Distributions are those of the lock file, without what no function runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.packaging.dependencies import Dependencies, dependencies
from infra.packaging.profile import Kind, Profile, local_profile
from stepweave.errors import UsageError


def unpack(root: Path, *requirements: str, kind: Kind = "lambda", used: tuple[str, ...] = ()) -> Dependencies:
    return dependencies(local_profile(kind), requirements, root, root / "cache", used)


def files(found: Dependencies) -> set[str]:
    every = (path.relative_to(found.folder).as_posix() for path in found.folder.rglob("*") if path.is_file())
    return {path for path in every if ".dist-info/" not in path}


def test_the_version_is_that_of_the_lock_file_though_a_later_one_exists(project: Path) -> None:
    found = unpack(project, "tables>=1")
    assert (found.folder / "tables-1.0.dist-info" / "METADATA").is_file()
    assert list(found.bytes) == ["tables", "sums"]


def test_a_requirement_with_a_version_of_its_own_is_taken_at_its_word(project: Path) -> None:
    found = unpack(project, "tables==2.0")
    assert (found.folder / "tables-2.0.dist-info").is_dir()
    assert (found.folder / "sums-1.5.dist-info").is_dir()


def test_a_distribution_that_the_lock_file_lacks_is_refused_with_what_to_do(project: Path) -> None:
    with pytest.raises(UsageError) as raised:
        unpack(project, "floating", "tables")
    text = str(raised.value)
    assert "uv.lock says no version of floating" in text
    assert "uv add --optional tasks floating" in text


def test_a_requirement_that_the_lock_file_contradicts_is_told_in_the_words_of_uv(project: Path) -> None:
    with pytest.raises(UsageError, match=r"(?s)installing tables>=2 for Python .* failed.*tables"):
        unpack(project, "tables>=2")


def test_a_file_that_is_not_the_one_in_the_lock_file_is_refused(project: Path) -> None:
    lock = project / "uv.lock"
    path = 'path = "large-1.0-py3-none-any.whl"'
    assert path in lock.read_text()
    lock.write_text(lock.read_text().replace(path, f'{path}, hash = "sha256:{"0" * 64}"'))
    with pytest.raises(UsageError, match=r"(?s)installing large .*[Hh]ash"):
        unpack(project, "large")


def test_a_project_without_a_lock_file_is_told_to_make_one(project: Path) -> None:
    (project / "uv.lock").unlink()
    with pytest.raises(UsageError, match=r"there is no uv\.lock in .*; run `uv lock` there"):
        unpack(project, "tables")


def test_a_function_without_requirements_needs_no_lock_file(tmp_path: Path) -> None:
    assert files(unpack(tmp_path)) == set()


def test_what_no_function_runs_is_left_out(project: Path) -> None:
    assert files(unpack(project, "tables")) == {
        "sums.py", "tables/__init__.py", "tables/sums.py", "tables/deep/__init__.py", "tables/types.pyi",
        "tables/lib/libfast.so.3", "tables/lib/libother.so",
    }  # fmt: skip


def test_a_job_keeps_what_a_compiler_may_want(project: Path) -> None:
    found = files(unpack(project, "tables", kind="batch"))
    assert {"tables/speed.c", "tables/lib/libfast.so"} <= found
    assert "tables/tests/test_sums.py" not in found


def test_nothing_in_it_says_how_or_where_it_was_installed(project: Path) -> None:
    found = unpack(project, "tables")
    about = {path.name for path in found.folder.rglob("*.dist-info/*")}
    assert about == {"METADATA", "WHEEL"}


def test_lambda_brings_boto3_and_a_job_does_not(project: Path) -> None:
    assert unpack(project, "aws-lambda-powertools", "boto3", kind="batch").bytes.keys() >= {
        "boto3",
        "botocore",
    }
    asked = unpack(project, "boto3")
    assert asked.bytes.keys() == {"boto3", "botocore"}, "who names it wants this version"


def test_a_library_that_needs_its_own_botocore_keeps_it(project: Path) -> None:
    assert unpack(project, "awskit").bytes.keys() == {"awskit", "botocore"}


def test_a_large_part_of_a_library_comes_only_where_it_is_used(project: Path) -> None:
    without = files(unpack(project, "pyarrow"))
    assert without == {"pyarrow/__init__.py", "pyarrow/libarrow.so.2600"}
    assert "pyarrow/flight.py" in files(unpack(project, "pyarrow", used=("pyarrow.flight",)))
    assert "pyarrow/flight.py" in files(unpack(project, "pyarrow", "rpc")), "another library imports it"


def test_the_digest_is_of_the_contents_and_not_of_the_lock_file(project: Path) -> None:
    before = unpack(project, "tables")
    lock = project / "uv.lock"
    lock.write_text(lock.read_text() + "\n# a comment\n")
    project_file = project / "pyproject.toml"
    project_file.write_text(project_file.read_text() + "\n# a comment\n")
    after = unpack(project, "tables")
    assert before.digest == after.digest


def test_each_platform_has_a_set_of_its_own(project: Path) -> None:
    one = dependencies(Profile(kind="lambda"), ["tables"], project, project / "cache")
    two = dependencies(Profile(kind="lambda", architecture="x86_64"), ["tables"], project, project / "cache")
    assert one.folder != two.folder
    assert one.digest == two.digest, "wheels for any platform"


def test_it_tells_what_a_requirement_brings_and_which_modules_that_has(project: Path) -> None:
    found = unpack(project, "tables", "large")
    assert found.reached(["tables>=1"]) == {"tables", "sums"}
    assert found.reached(["large", "elsewhere"]) == {"large"}
    assert found.modules["tables"] == ["tables/__init__.py", "tables/deep/__init__.py", "tables/sums.py"]

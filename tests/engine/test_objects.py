"""Objects in memory and as a folder: the same behaviour, safely kept."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stepweave.engine.failures import StateError
from stepweave.engine.object_folder import FolderObjects
from stepweave.engine.object_names import check_bucket, key_of, path_of
from stepweave.engine.objects import MemoryObjects, Objects

T = TypeVar("T")
Make = Callable[..., Objects]


def wait(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def keys(objects: Objects, *arguments: Any) -> list[str]:
    return [entry.key for entry in wait(objects.list_objects("bucket", *arguments))]


def error_of(coroutine: Coroutine[Any, Any, Any]) -> str | None:
    with pytest.raises(StateError) as caught:
        asyncio.run(coroutine)
    return caught.value.error


@pytest.fixture(params=["memory", "folder"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes objects with an empty bucket called ``bucket``, and the objects given in it."""

    def made(**contents: bytes) -> Objects:
        if request.param == "memory":
            return MemoryObjects({"bucket": contents})
        (tmp_path / "bucket").mkdir()
        objects = FolderObjects(tmp_path)
        for key, data in contents.items():
            wait(objects.write("bucket", key, data))
        return objects

    return made


def test_what_is_written_is_read_and_described(make: Make) -> None:
    objects = make()
    etag = wait(
        objects.write("bucket", "a/b.txt", b"abc", content_type="text/plain", metadata={"x": "1"}, modified=7)
    )
    assert etag == '"900150983cd24fb0d6963f7d28e17f72"'
    assert wait(objects.read("bucket", "a/b.txt")) == b"abc"
    entry = wait(objects.head("bucket", "a/b.txt"))
    assert (entry.key, entry.size, entry.modified, entry.etag) == ("a/b.txt", 3, 7, etag)
    assert (entry.content_type, entry.metadata, entry.storage_class) == ("text/plain", {"x": "1"}, "STANDARD")


def test_a_write_replaces_content_and_properties(make: Make) -> None:
    objects = make()
    wait(objects.write("bucket", "k", b"old", content_type="text/plain", metadata={"x": "1"}))
    wait(objects.write("bucket", "k", b"newer"))
    entry = wait(objects.head("bucket", "k"))
    assert (wait(objects.read("bucket", "k")), entry.size) == (b"newer", 5)
    assert (entry.content_type, entry.metadata) == ("binary/octet-stream", {})


def test_an_object_that_changes_has_another_etag(make: Make) -> None:
    objects = make(k=b"one")
    first = wait(objects.head("bucket", "k")).etag
    wait(objects.write("bucket", "k", b"two", modified=1))
    assert wait(objects.head("bucket", "k")).etag != first


def test_what_is_absent_has_the_errors_of_s3(make: Make) -> None:
    objects = make(k=b"x")
    assert error_of(objects.read("bucket", "gone")) == "S3.NoSuchKeyException"
    assert error_of(objects.head("bucket", "gone")) == "S3.NoSuchKeyException"
    for call in (objects.read("other", "k"), objects.write("other", "k", b""), objects.list_objects("other")):
        assert error_of(call) == "S3.NoSuchBucketException"
    assert error_of(objects.delete("other", "k")) == "S3.NoSuchBucketException"
    assert error_of(objects.read("bucket", "k", "3sL4kqtJlcpXroDTDmJ")) == "S3.S3Exception"
    assert wait(objects.read("bucket", "k", "null")) == b"x"


def test_a_deleted_object_is_gone_and_may_be_deleted_again(make: Make) -> None:
    objects = make()
    for key in ("a/b/c", "a/d"):
        wait(objects.write("bucket", key, b"x"))
    for _ in range(2):
        wait(objects.delete("bucket", "a/b/c"))
    assert keys(objects) == ["a/d"]
    assert error_of(objects.read("bucket", "a/b/c")) == "S3.NoSuchKeyException"


def test_a_listing_is_in_the_order_of_the_bytes_of_the_keys(make: Make) -> None:
    objects = make()
    names = ["b", "a/2", "a/10", "a", "a.b", "A", "é", "z", "\uffff", "\U0001f600", "a//x"]
    for key in names:
        wait(objects.write("bucket", key, b""))
    assert keys(objects) == sorted(names, key=str.encode)
    assert keys(objects, "a/") == ["a//x", "a/10", "a/2"]
    assert keys(objects, "a/1") == ["a/10"]
    assert keys(objects, "a", "a//x", 2) == ["a/10", "a/2"]
    assert keys(objects, "none/") == []


def test_a_key_may_be_the_beginning_of_another(make: Make) -> None:
    objects = make()
    for key in ("a", "a/b", "a/b/c", "a/b/", "d/e", "d"):
        wait(objects.write("bucket", key, key.encode()))
    assert keys(objects) == ["a", "a/b", "a/b/", "a/b/c", "d", "d/e"]
    assert [wait(objects.read("bucket", key)) for key in keys(objects)] == [
        key.encode() for key in keys(objects)
    ]
    for key in ("a/b/c", "a/b/", "d/e"):
        wait(objects.delete("bucket", key))
    wait(objects.write("bucket", "a/b", b"new"))
    assert keys(objects) == ["a", "a/b", "d"]
    assert (wait(objects.read("bucket", "a")), wait(objects.read("bucket", "a/b"))) == (b"a", b"new")


@pytest.mark.parametrize(
    "key",
    [
        "../out",
        "/etc/passwd",
        "a/../../out",
        ".",
        "..",
        "nul\0byte",
        "a\nb",
        "%2e%2e/x",
        "a%",
        ".~properties",
    ],
)
def test_no_key_leaves_its_bucket(make: Make, tmp_path: Path, key: str) -> None:
    objects = make()
    wait(objects.write("bucket", key, b"x"))
    assert keys(objects) == [key]
    assert wait(objects.read("bucket", key)) == b"x"
    assert {path.name for path in tmp_path.iterdir()} <= {"bucket"}


@pytest.mark.parametrize("bucket", ["..", ".", "a/b", "", "../bucket", ".~properties", "b\0b", "a..b"])
def test_no_bucket_is_outside_the_root(make: Make, bucket: str) -> None:
    objects = make()
    for call in (objects.read(bucket, "k"), objects.write(bucket, "k", b""), objects.list_objects(bucket)):
        assert error_of(call) == "S3.S3Exception"


@pytest.mark.parametrize("key", ["", "x" * 1025, "é" * 513, "\ud800"])
def test_a_key_that_s3_does_not_take_is_an_error(make: Make, key: str) -> None:
    assert error_of(make().write("bucket", key, b"")) == "S3.S3Exception"


@given(st.text(st.sampled_from("ab/.%~25E0\x00\n é"), min_size=1, max_size=12))
@example("%25")
@example("a%/b")
@example("%")
@example("%\n")
@settings(max_examples=400)
def test_every_key_has_a_path_of_its_own(key: str) -> None:
    path = path_of(key)
    assert key_of(path) == key
    parts = path.split("/")
    assert not any(part in ("", ".", "..") or part.startswith(".~") or "\0" in part for part in parts)


def test_files_put_there_by_hand_are_objects(tmp_path: Path) -> None:
    folder = tmp_path / "bucket" / "data"
    folder.mkdir(parents=True)
    (folder / "july.csv").write_bytes(b"a,b\n")
    (folder / ".hidden").write_bytes(b"")
    objects = FolderObjects(tmp_path)
    assert keys(objects) == ["data/.hidden", "data/july.csv"]
    assert wait(objects.read("bucket", "data/july.csv")) == b"a,b\n"
    first = wait(objects.head("bucket", "data/july.csv")).etag
    (folder / "july.csv").write_bytes(b"a,b,c\n")
    assert wait(objects.head("bucket", "data/july.csv")).etag != first


def test_a_file_whose_name_no_key_can_be_is_no_object(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    with open(os.fsencode(tmp_path) + b"/bucket/gr\xf6\xdfe.csv", "wb") as file:
        file.write(b"x")
    assert keys(FolderObjects(tmp_path)) == []


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bucket").mkdir()
    objects = FolderObjects(tmp_path)
    wait(objects.write("bucket", "k", b"old"))

    def full(source: Any, target: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StateError, match=r"'k' cannot be written .*: No space left on device") as caught:
        wait(objects.write("bucket", "k", b"new"))
    assert caught.value.error == "S3.S3Exception"
    monkeypatch.undo()
    assert os.listdir(tmp_path / "bucket") == ["k"]
    assert wait(objects.read("bucket", "k")) == b"old"


def test_a_name_that_is_too_long_for_the_file_system_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    objects = FolderObjects(tmp_path)
    assert error_of(objects.write("bucket", "x" * 1000, b"")) == "S3.S3Exception"
    assert error_of(objects.read("bucket", "x" * 1000)) == "S3.NoSuchKeyException"


def test_a_missing_bucket_says_which_folder_to_make(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=f"make {tmp_path}/bucket"):
        wait(FolderObjects(tmp_path).read("bucket", "k"))


def test_folders_that_become_empty_go(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    objects = FolderObjects(tmp_path)
    wait(objects.write("bucket", "a/b/c", b"", content_type="text/plain"))
    wait(objects.delete("bucket", "a/b/c"))
    assert os.listdir(tmp_path / "bucket") == []
    wait(objects.write("bucket", "a/b/c", b""))
    assert wait(objects.head("bucket", "a/b/c")).content_type == "binary/octet-stream"


def test_names_of_buckets_are_those_of_s3() -> None:
    assert [check_bucket(name) for name in ("abc", "my.bucket-1", "Old_Bucket")] == [
        "abc",
        "my.bucket-1",
        "Old_Bucket",
    ]

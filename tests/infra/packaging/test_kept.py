"""What is built once is seen whole or not at all."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from infra.packaging.kept import SPARED_SECONDS, forget, make


def test_it_is_built_once(tmp_path: Path) -> None:
    built: list[Path] = []

    def build(new: Path) -> None:
        built.append(new)
        (new / "a").write_text("1")

    first, second = make(tmp_path / "x" / "thing", build), make(tmp_path / "x" / "thing", build)
    assert first == second == tmp_path / "x" / "thing"
    assert (first / "a").read_text() == "1"
    assert len(built) == 1


def test_nothing_remains_of_what_could_not_be_built(tmp_path: Path) -> None:
    def build(new: Path) -> None:
        (new / "half").write_text("1")
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        make(tmp_path / "thing", build)
    assert list(tmp_path.iterdir()) == []


def test_of_several_who_build_at_once_one_wins_and_all_get_the_same(tmp_path: Path) -> None:
    together = threading.Barrier(4, timeout=30)
    found: list[str] = []

    def build(new: Path) -> None:
        together.wait()  # all have seen that it is not there yet
        (new / "who").write_text(threading.current_thread().name)

    def take() -> None:
        found.append((make(tmp_path / "thing", build) / "who").read_text())

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]


def test_what_was_not_used_for_the_longest_time_goes_when_there_is_too_much(tmp_path: Path) -> None:
    def build(new: Path) -> None:
        (new / "a").write_text("1")

    hours_ago = time.time() - 10 * SPARED_SECONDS
    for number in range(4):
        old = make(tmp_path / f"old{number}", build, most=5)
        os.utime(old, (hours_ago + number, hours_ago + number))
    make(tmp_path / "old0", build, most=5)  # used again
    for name in ("new0", "new1", "new2"):
        make(tmp_path / name, build, most=5)
    assert {path.name for path in tmp_path.iterdir()} == {"old0", "old3", "new0", "new1", "new2"}


def test_nothing_goes_that_was_used_a_moment_ago(tmp_path: Path) -> None:
    for number in range(6):
        make(tmp_path / str(number), lambda new: None, most=2)
    assert len(list(tmp_path.iterdir())) == 6


def test_single_files_go_too(tmp_path: Path) -> None:
    hours_ago = time.time() - 10 * SPARED_SECONDS
    for number, name in enumerate(("oldest", "older", "old", "new")):
        (tmp_path / name).write_text("1")
        os.utime(tmp_path / name, (hours_ago + number, hours_ago + number))
    os.utime(tmp_path / "new")
    forget(tmp_path, 2, time.time() - SPARED_SECONDS)
    assert {path.name for path in tmp_path.iterdir()} == {"old", "new"}
    forget(tmp_path, 0, time.time() - SPARED_SECONDS)
    assert {path.name for path in tmp_path.iterdir()} == {"new"}

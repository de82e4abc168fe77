"""The virtual environment of the server: made by uv when it has to be."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from stepweave.errors import UsageError
from stepweave.local_aws import venv
from stepweave.local_aws.home import Home

FAKE = """#!/bin/sh
echo "$@" >> "$HOME/uv-was-called"
if [ "$1" = venv ]; then for last; do :; done; mkdir -p "$last"; fi
exit ${UV_STATUS:-0}
"""


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Beside the interpreter a uv that writes down how it was called; the file that it writes."""
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(FAKE, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "uv-was-called"


def test_it_is_made_from_requirements_with_hashes_once(tmp_path: Path, uv: Path) -> None:
    home = Home(tmp_path / "home")
    assert venv.prepare(home)
    made, installed = uv.read_text(encoding="utf-8").splitlines()
    assert made.startswith("venv ")
    assert installed.startswith("pip install ")
    assert "--require-hashes" in installed
    assert not venv.prepare(home)
    assert len(uv.read_text(encoding="utf-8").splitlines()) == 2


def test_it_is_made_anew_for_another_python(
    tmp_path: Path, uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    venv.prepare(home)
    monkeypatch.setattr(sys, "version", "4.0.0 (another)")
    assert venv.prepare(home)


def test_a_failure_of_uv_is_an_error_and_the_next_time_it_is_tried_again(
    tmp_path: Path, uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    monkeypatch.setenv("UV_STATUS", "2")
    with pytest.raises(UsageError, match="could not be made"):
        venv.prepare(home)
    monkeypatch.setenv("UV_STATUS", "0")
    assert venv.prepare(home)


def test_without_uv_the_error_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"there is no `uv` on the PATH; install it"):
        venv.prepare(Home(tmp_path / "home"))


def test_every_requirement_is_pinned_with_a_hash() -> None:
    text = venv.REQUIREMENTS.read_text(encoding="utf-8")
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert "ministack==1.5.33 \\" in pinned
    assert [line for line in pinned if not line.endswith(" \\") or "==" not in line] == []
    assert text.count("--hash=sha256:") >= len(pinned)

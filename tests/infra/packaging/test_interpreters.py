"""Bytecode is made by a Python of the version that will read it, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.packaging import uv
from infra.packaging.interpreters import Interpreter, interpreter_for
from infra.packaging.profile import Profile, local_profile

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_this_process_compiles_for_its_own_version_whatever_the_processor() -> None:
    expected = Interpreter(sys.executable, str(sys.implementation.cache_tag))
    assert interpreter_for(local_profile("batch")) == expected
    assert interpreter_for(Profile(kind="lambda", python=THIS, architecture="arm64")) == expected


def test_without_that_version_it_is_said_once_what_this_costs_and_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unknown = Profile(kind="lambda", python="3.1415")
    assert interpreter_for(unknown) is None
    assert interpreter_for(unknown) is None
    said = capsys.readouterr().err
    assert said.count("there is no Python 3.1415, in which they run, on this machine") == 1
    assert "at every cold start" in said
    assert "to fix:     uv python install 3.1415\n" in said


def test_uv_finds_a_python_that_is_installed_and_fetches_none_that_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Installed means to uv: on the PATH. The Python of this virtual environment need not be.
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    found = uv.find_python(f"cpython@{THIS}")
    assert found is not None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"Python {THIS}.")
    assert uv.find_python("cpython@3.1415") is None

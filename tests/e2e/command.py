"""The ``stepweave`` command as users start it, in a folder with their files."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = str(Path(sys.executable).with_name("stepweave"))
HEAD = """\
import os, time
from pathlib import Path
from stepweave import Batch, dag, get_current_context, task
from stepweave.errors import DataError

def note(name):  # a side effect that is counted
    with open(f"{name}.count", "a") as file:
        file.write("x")

"""
PATIENCE_SECONDS = 60.0
"""How long anything may take before the test gives up; far more than it takes."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True)
class Project:
    """A user's folder."""

    folder: Path

    def write(self, name: str, text: str) -> None:
        """A DAG's module, after the imports that all have."""
        (self.folder / name).write_text(HEAD + textwrap.dedent(text), encoding="utf-8")

    def start(self, *arguments: str, program: tuple[str, ...] = (PROGRAM,)) -> subprocess.Popen[str]:
        """The command in a session of its own, as a shell starts it."""
        return subprocess.Popen(
            [*program, *arguments],
            cwd=self.folder,
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, *arguments: str, status: int = 0, program: tuple[str, ...] = (PROGRAM,)) -> Ended:
        """The command, ended with ``status``."""
        with self.start(*arguments, program=program) as process:
            out, err = process.communicate(timeout=2 * PATIENCE_SECONDS)
        assert process.returncode == status, f"{out}\n{err}"
        return Ended(process.returncode, out, err)

    def json(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """The answer of the command with ``--json``."""
        return self.run(*arguments, "--json", status=status).json

    def count(self, name: str) -> int:
        """How often a task noted ``name``."""
        file = self.folder / f"{name}.count"
        return file.stat().st_size if file.exists() else 0

    def commits(self, dag_id: str, run_id: str) -> dict[str, bytes]:
        """What is committed, by task."""
        files = (self.folder / ".stepweave" / "runs" / dag_id / run_id).glob("*/result.json")
        return {file.parent.name: file.read_bytes() for file in files}


def statuses(answer: dict[str, Any]) -> dict[str, str | None]:
    return {task: each["status"] for task, each in answer["tasks"].items()}


def values(answer: dict[str, Any]) -> dict[str, Any]:
    return {task: each["value"] for task, each in answer["tasks"].items() if "value" in each}


def wait_until(true: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Return when ``true()`` is; fails when it takes too long, or when ``process`` ends first."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in ("Z", "X")
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

"""One attempt of a job: a supervised process whose output goes to the job's log stream."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_FLUSH_SECONDS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an attempt runs."""

    command: Sequence[str]
    environment: Mapping[str, str]
    timeout_seconds: float
    """0: none."""
    memory_mib: int
    """0: no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the process ended."""

    exit_code: int | None
    why: str
    """``exited``, ``terminated``, ``timeout``, ``memory``, ``unstarted``; ``lost`` when nobody could say."""


class Attempt:
    """A running attempt. :meth:`run` blocks; the others may be called from any thread meanwhile."""

    def __init__(self, work: Work, folder: Path, write: Callable[[Sequence[str]], None]) -> None:
        self._work = work
        self._folder = folder
        self._write = write
        self._lock = threading.Lock()
        self._control = -1
        self._asked = False
        self._over = False

    def run(self) -> Ended:
        """Run to the end."""
        scratch = Path(tempfile.mkdtemp(prefix="job-", dir=self._folder))
        try:
            return self._run(scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def terminate(self) -> None:
        """SIGTERM, then SIGKILL, as on Batch."""
        with self._lock:
            self._asked = True  # if it has not begun, it hears of it when it does
            if self._control >= 0:
                os.write(self._control, b"t")

    def kill(self) -> None:
        """End it at once."""
        with self._lock:
            if self._control >= 0:
                os.close(self._control)
            self._control, self._over = -1, True

    def _run(self, scratch: Path) -> Ended:
        control, own = os.pipe()
        status, theirs = os.pipe()
        work = self._work
        limits = (str(control), str(theirs), str(work.timeout_seconds), str(work.memory_mib))
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-P", str(_SUPERVISOR), *limits, *work.command],
            cwd=scratch,
            env={**work.environment, "HOME": str(scratch), "TMPDIR": str(scratch)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(control, theirs),
            start_new_session=True,
        )
        os.close(control)
        os.close(theirs)
        with self._lock:
            self._control = own
            if self._asked:
                os.write(own, b"t")
            if self._over:  # killed before it began
                os.close(own)
                self._control = -1
        assert process.stdout is not None
        with process.stdout, os.fdopen(status, "rb") as said:
            self._pump(process.stdout.fileno())
            process.wait()
            self.kill()
            text = said.read()
        ended: dict[str, Any] = json.loads(text) if text else {"exit": None, "why": "lost"}
        return Ended(exit_code=ended["exit"], why=ended["why"])

    def _pump(self, output: int) -> None:
        """Write whole lines as they come, until everybody who could write has ended."""
        rest = b""
        while True:
            ready, _, _ = select.select([output], [], [], _FLUSH_SECONDS)
            piece = os.read(output, 1 << 16) if ready else None
            if piece == b"":
                break
            *lines, rest = (rest + (piece or b"")).split(b"\n")
            self._write([line.decode("utf-8", "replace") for line in lines])
        self._write([rest.decode("utf-8", "replace")] if rest else [])

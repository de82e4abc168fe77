"""Where the local AWS keeps what it has: one folder, by default ``.stepweave/local-aws`` of the working directory."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(".stepweave") / "local-aws"
FOLDER_VARIABLE = "STEPWEAVE_LOCAL_AWS"
"""Environment variable that names another folder."""
ACCOUNT = "000000000000"
REGION = "us-east-1"
ADDRESS = "127.0.0.1"
"""The server listens on loopback only: whoever reaches it may run programs here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that answers; written by the server itself once every part of it has started."""

    pid: int
    port: int
    clock_speed: float
    """Seconds that pass in schedules, waits and alarms for every second here."""

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"http://{ADDRESS}:{self.port}"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one local AWS."""

    folder: Path
    environment: Path | None = None
    """Virtual environment of the server; default ``venv`` in the folder."""

    @property
    def venv(self) -> Path:
        """The server's virtual environment."""
        return self.environment or self.folder / "venv"

    @property
    def python(self) -> Path:
        """The interpreter of the server's virtual environment."""
        return self.venv / "bin" / "python"

    @property
    def code(self) -> Path:
        """What is on the server's import path besides its virtual environment: a link to this package, nothing else."""
        return self.folder / "code"

    @property
    def state(self) -> Path:
        """What survives a restart."""
        return self.folder / "state"

    @property
    def temporary(self) -> Path:
        """What does not: unpacked code of functions and jobs."""
        return self.folder / "tmp"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.folder / "server.log"

    @property
    def record(self) -> Path:
        """:class:`Running` as JSON."""
        return self.folder / "server.json"

    @property
    def lock(self) -> Path:
        """Held by the server as long as it lives; a process id alone could be somebody else's by now."""
        return self.folder / "server.lock"

    def running(self) -> Running | None:
        """The server that holds this folder and has started, or None."""
        if not self.held():
            return None
        try:
            return Running(**json.loads(self.record.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, running: Running) -> None:
        """Record a server as started."""
        part = self.record.with_suffix(".part")
        part.write_text(json.dumps(asdict(running)), encoding="utf-8")
        part.replace(self.record)

    def held(self) -> bool:
        """Whether a server lives in this folder, started or starting."""
        if not self.folder.is_dir():
            return False
        with locked(self.lock) as free:
            return not free


def default() -> Home:
    """The folder that commands mean when none is given."""
    return Home(Path(os.environ.get(FOLDER_VARIABLE) or FOLDER))


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether ``path`` could be locked; it stays locked inside the ``with``, and is free when this process ends.

    With ``wait`` it is locked as soon as it is free.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)

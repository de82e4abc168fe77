"""`Journal`: the records of an engine's executions in a file, from which they go on after the process has died.

Each line of the file is JSON: first what the file is, then per execution an object when it starts, and an array per
record. A record reaches the file before anything that follows from it happens outside (a call of a service, the use
of a result), so whatever moment the process is killed at, the file is at most behind what may be computed again. A
line that was cut off in the middle is dropped when the journal is opened again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stepweave.engine.history import Record
from stepweave.engine.payload import to_text
from stepweave.errors import StepweaveError, UsageError

FORMAT = 1
_BUFFERED_LINES = 256
"""Records that are written together at the most."""


class JournalError(StepweaveError):
    """The journal cannot be written: what follows is not known to it, so the execution stops where it is."""


@dataclass(slots=True)
class Kept:
    """An execution as a journal holds it."""

    start: Mapping[str, Any]
    """What was noted when it started."""
    records: list[Record] = field(default_factory=list)
    """Events and notes, in order."""


class Journal:
    """One journal, open for writing; nobody else can open it meanwhile."""

    def __init__(self, path: str | Path, identity: str = "", *, durable: bool = False) -> None:
        """``identity`` says what runs (a digest of the definitions); ``durable`` waits for the disk at each write, so
        that the journal survives a loss of power too.

        Raises ``UsageError`` when another process has the journal open, or it is of something else.
        """
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._durable = durable
        self._lines: list[str] = []
        self._pending = b""
        self._error: OSError | None = None
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._lock()
            self.kept = self._read(identity)
        except BaseException:
            os.close(self._file)
            raise
        self._next = len(self.kept)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left and let go of the file."""
        if self._file >= 0:
            try:
                if self._error is None:
                    self.flush()
            finally:
                os.close(self._file)
                self._file = -1

    def start(self, details: Mapping[str, Any]) -> Callable[[Record], None]:
        """Note that an execution starts; what takes its records."""
        number = self._next
        self._next += 1
        self._append(to_text({"execution": number, **details}))
        return self.sink(number)

    def sink(self, number: int) -> Callable[[Record], None]:
        """What takes the records of execution ``number``, which :attr:`kept` has at this index."""

        def take(record: Record) -> None:
            self._append(to_text((number, *record)))

        return take

    def flush(self) -> None:
        """Return when all that was recorded is in the file; raises :class:`JournalError`."""
        if self._error is None and (self._lines or self._pending):
            text = "".join(f"{line}\n" for line in self._lines)
            self._pending += text.encode("utf-8", "surrogatepass")
            self._lines.clear()
            try:
                self._write()
            except OSError as error:
                self._error = error
        if self._error is not None:
            raise JournalError(
                f"the journal {self.path} cannot be written: {self._error.strerror}; nothing that it holds is lost: "
                "make it writable and resume the execution"
            ) from self._error

    def _write(self) -> None:
        while self._pending:
            self._pending = self._pending[os.write(self._file, self._pending) :]
        if self._durable:
            os.fsync(self._file)

    def _append(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) >= _BUFFERED_LINES:
            self.flush()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"the journal {self.path} is in use: its execution is running in another process"
            ) from error

    def _read(self, identity: str) -> list[Kept]:
        """The executions so far; a new file gets its first line."""
        with open(self._file, "rb", closefd=False) as file:
            data = file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._file, whole)
        lines = data[:whole].split(b"\n")[:-1]
        if not lines:
            self._append(to_text({"journal": FORMAT, "identity": identity}))
            self.flush()
            return []
        self._check(lines[0], identity)
        kept: list[Kept] = []
        for number, line in enumerate(lines[1:], start=2):
            try:
                entry = json.loads(line)
                if isinstance(entry, dict):
                    kept.append(Kept(entry))
                else:
                    kept[entry[0]].records.append(tuple(entry[1:]))
            except (ValueError, LookupError, TypeError) as error:
                # A crash cuts off the last line and damages no other: somebody else wrote here, or the disk is broken.
                raise UsageError(
                    f"line {number} of the journal {self.path} is damaged, so its execution cannot go on; start another"
                ) from error
        return kept

    def _check(self, head: bytes, identity: str) -> None:
        try:
            described = json.loads(head)
            known = described["journal"] == FORMAT
        except (ValueError, KeyError, TypeError):
            known = False
        if not known:
            raise UsageError(f"{self.path} is no journal of this version; choose another file")
        if described["identity"] != identity:
            raise UsageError(
                f"the journal {self.path} is of other definitions than those given: an execution goes on with the "
                "definitions it started with; give those, or start a new execution"
            )

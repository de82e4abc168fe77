"""`Scratch`: a temporary folder that exists only if somebody asks for it."""

from __future__ import annotations

import itertools
import os
import threading


class Scratch:
    """A folder of one attempt. The first look at :attr:`path` creates it; :meth:`close` deletes it.

    Values are read in many threads at once where each takes a request, so this is safe for them.
    """

    __slots__ = ("_lock", "_path", "_serials")

    def __init__(self) -> None:
        self._path: str | None = None
        self._serials = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def path(self) -> str:
        """The folder, readable by this user only."""
        with self._lock:
            if self._path is None:
                self._path = self._made()
            return self._path

    def _made(self) -> str:
        # Not `tempfile`: with what it imports it would be a tenth of the runtime's start.
        path = f"{os.environ.get('TMPDIR', '/tmp').rstrip('/')}/stepweave-{os.getpid()}-{os.urandom(8).hex()}"
        os.makedirs(path, mode=0o700)
        return path

    def fresh(self) -> str:
        """A new empty folder inside."""
        path = f"{self.path}/{next(self._serials)}"
        os.mkdir(path)
        return path

    def close(self) -> None:
        """Delete the folder and everything in it."""
        if self._path is not None:
            import shutil  # with bz2 and lzma behind it; most attempts have no scratch folder

            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None

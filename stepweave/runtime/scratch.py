"""`Scratch`: a temporary folder that exists only if somebody asks for it."""

from __future__ import annotations

import os


class Scratch:
    """A folder of one attempt. The first look at :attr:`path` creates it; :meth:`close` deletes it."""

    __slots__ = ("_path", "_serial")

    def __init__(self) -> None:
        self._path: str | None = None
        self._serial = 0

    @property
    def path(self) -> str:
        """The folder, readable by this user only."""
        if self._path is None:
            # Not `tempfile`: with what it imports it would be a tenth of the runtime's start.
            path = f"{os.environ.get('TMPDIR', '/tmp').rstrip('/')}/stepweave-{os.getpid()}-{os.urandom(8).hex()}"
            os.makedirs(path, mode=0o700)
            self._path = path
        return self._path

    def fresh(self) -> str:
        """A new empty folder inside."""
        self._serial += 1
        path = f"{self.path}/{self._serial}"
        os.mkdir(path)
        return path

    def close(self) -> None:
        """Delete the folder and everything in it."""
        if self._path is not None:
            import shutil  # with bz2 and lzma behind it; most attempts have no scratch folder

            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None

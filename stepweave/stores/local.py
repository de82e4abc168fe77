"""`LocalStore`: objects as files of a local folder.

A write goes to a temporary file beside the object and is moved (``put``) or linked (``create``) into place: both are
atomic in POSIX, and a link fails when the name exists. Nothing is flushed to the disk's platter: a killed process loses
nothing, a power cut may lose the last seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterator

from stepweave.errors import StoreError
from stepweave.stores.layout import checked_key

_TEMPORARY = ".~"
_serial = itertools.count()


class LocalStore:
    """Objects as files below ``root``. Safe for many threads and processes, and across ``fork``."""

    __slots__ = ("_root",)

    def __init__(self, root: str) -> None:
        self._root = os.path.abspath(root)

    @property
    def url(self) -> str:
        """The folder's absolute path."""
        return self._root

    def get(self, key: str) -> bytes:
        """The content of an object; ``StoreError`` when there is none."""
        data = self.get_or_none(key)
        if data is None:
            raise StoreError(f"no object {key!r} in the store {self._root}")
        return data

    def get_or_none(self, key: str) -> bytes | None:
        """The content of an object, or None when there is none."""
        try:
            descriptor = os.open(self.local_path(key), os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"cannot read {key!r} in the store {self._root}: {error}") from error
        try:
            return _read_all(descriptor, os.fstat(descriptor).st_size)
        except IsADirectoryError:
            return None
        finally:
            os.close(descriptor)

    def put(self, key: str, data: bytes) -> None:
        """Write an object, replacing what is there."""
        path = self.local_path(key)
        with self._explained(key):
            os.replace(_write_beside(path, data), path)

    def create(self, key: str, data: bytes) -> bool:
        """Write an object only if there is none; whether it was written."""
        path = self.local_path(key)
        with self._explained(key):
            temporary = _write_beside(path, data)
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                os.unlink(temporary)
        return True

    def read(self, key: str) -> tuple[bytes, str] | None:
        """The content of an object and its entity tag, for :meth:`swap`; None when there is none."""
        data = self.get_or_none(key)
        return None if data is None else (data, _tag(data))

    def swap(self, key: str, data: bytes, expected: str | None) -> bool:
        """Replace an object only if its entity tag is ``expected`` (None: there is none); whether it was replaced."""
        if expected is None:
            return self.create(key, data)
        if self.size(key) is None:
            return False
        with self._explained(key), _locked(self.local_path(key)):
            found = self.read(key)
            if found is None or found[1] != expected:
                return False
            self.put(key, data)
        return True

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens when there is none."""
        with self._explained(key), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self.local_path(key))

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Key and size in bytes of every object below the folder ``prefix``, in the order of the keys."""
        top = self.local_path(prefix) if prefix else self._root
        found: list[tuple[str, int]] = []
        for folder, _, names in os.walk(top):
            for name in names:
                if not name.startswith(_TEMPORARY):
                    path = os.path.join(folder, name)
                    # Another process may delete an object between the walk and the look.
                    with contextlib.suppress(FileNotFoundError):
                        found.append(
                            (os.path.relpath(path, self._root).replace(os.sep, "/"), os.stat(path).st_size)
                        )
        return iter(sorted(found))

    def size(self, key: str) -> int | None:
        """Size of an object in bytes, or None when there is none."""
        try:
            return os.stat(self.local_path(key)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def download(self, key: str, path: str) -> None:
        """Copy an object to a local file; its folder exists."""
        try:
            _copy(self.local_path(key), path)
        except FileNotFoundError as error:
            raise StoreError(f"no object {key!r} in the store {self._root}") from error

    def upload(self, path: str, key: str) -> None:
        """Copy a local file to an object, replacing what is there."""
        target = self.local_path(key)
        with self._explained(key):
            temporary = _write_beside(target, b"")
            try:
                _copy(path, temporary)
                os.replace(temporary, target)
            except BaseException:
                os.unlink(temporary)
                raise

    def local_path(self, key: str) -> str:
        """Where the object lies as a local file, whether it exists or not."""
        return f"{self._root}/{checked_key(key)}"

    @contextlib.contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"cannot write {key!r} in the store {self._root}: {error}") from error


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """The lock of an object, between threads and processes; the kernel frees it when its holder dies."""
    import fcntl  # few tasks swap an object

    folder, name = os.path.split(path)
    # The file stays: deleting it would let two holders lock two files of one name.
    descriptor = os.open(f"{folder}/{_TEMPORARY}{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _copy(source: str, target: str) -> None:
    import shutil  # with bz2 and lzma behind it; most runs copy no file

    shutil.copyfile(source, target)


def _write_beside(path: str, data: bytes) -> str:
    """Path of a new temporary file in the folder of ``path`` that holds ``data``; makes the folder if it must."""
    folder, name = os.path.split(path)
    temporary = f"{folder}/{_TEMPORARY}{os.getpid()}-{next(_serial)}-{name}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(temporary, flags, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    return temporary


def _read_all(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size)
    if len(data) == size:
        return data
    chunks = [data]  # Linux reads at most 2 GiB at once
    while chunk := os.read(descriptor, size):
        chunks.append(chunk)
    return b"".join(chunks)

"""`part(name)`: a module of the runtime that few tasks need, imported by the first that does.

The one place where the runtime imports itself by name: a plain task pays for nothing that it does not use.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Protocol, TypeVar

_PACKAGE = __name__.rpartition(".")[0]
_READERS = 16

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@functools.lru_cache(maxsize=64)
def part(name: str) -> Any:
    """The module ``stepweave.runtime.<name>``."""
    return importlib.import_module(f"{_PACKAGE}.{name}")


class Pool(Protocol):
    """A pool of threads."""

    def __enter__(self) -> Pool: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...
    def map(self, function: Callable[[_In], _Out], values: Iterable[_In]) -> Iterator[_Out]:
        """What ``function`` answers, in order."""


def threads(size: int = _READERS) -> Pool:
    """Threads that read many objects at once."""
    pool: Pool = importlib.import_module("concurrent.futures").ThreadPoolExecutor(size)
    return pool

"""A store whose process dies at its n-th write: what was written before stays, nothing comes after."""

from __future__ import annotations

from typing import Any


class Killed(BaseException):
    """The process is gone; nobody catches it."""


class FailingStore:
    """``store`` until the writes (put, create, swap, delete) allowed are used up; then every one of them kills."""

    def __init__(self, store: Any, writes: int) -> None:
        self._store = store
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("put", "create", "swap", "delete", "upload"):
            return method

        def counted(*arguments: Any) -> Any:
            if self._left == 0:
                raise Killed(name)
            self._left -= 1
            return method(*arguments)

        return counted


def killed_at_each_write(run: Any, store: Any, most: int = 50) -> int:
    """Call ``run(store)`` killed before its first write, its second … until it ends; how many writes it took."""
    for writes in range(most):
        try:
            run(FailingStore(store, writes))
        except Killed:
            continue
        return writes
    raise AssertionError(f"still not done after {most} writes")

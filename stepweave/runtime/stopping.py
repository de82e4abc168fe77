"""Whether this process is about to be stopped: whoever is told (a signal, a spot notice) says so, and tasks look."""

from __future__ import annotations

import threading

_requested = threading.Event()
_looked = threading.Event()


def request_stop() -> None:
    """The process will be stopped soon."""
    _requested.set()


def forget_stop() -> None:
    """It will not; nobody has looked."""
    _requested.clear()
    _looked.clear()


def is_requested() -> bool:
    """Whether the process is about to be stopped."""
    return _requested.is_set()


def is_stopping() -> bool:
    """The same, asked by a task: one that looks ends in time by itself."""
    _looked.set()
    return _requested.is_set()


def is_watched() -> bool:
    """Whether the task looks now and then."""
    return _looked.is_set()

"""`die_with_parent()`: ties this process to the one that started it, so that a killed run leaves none behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""Linux: the signal that this process gets when its parent dies (prctl(2))."""


def die_with_parent(parent: int | None = None) -> None:
    """Nothing; from now on this process is killed when its parent ends (on Linux; elsewhere it goes on).

    ``parent`` is the process that started this one, if that is known for sure: it may be gone already.
    """
    if sys.platform == "linux":
        parent = os.getppid() if parent is None else parent
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

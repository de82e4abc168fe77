"""State saved while the server runs. ministack saves at a clean end only, and a laptop may be switched off."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import ministack.app
from ministack.core import persistence

from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.seams import Seam

SHORTEST_PAUSE_SECONDS = 5.0
LARGEST_SHARE = 0.05
"""Of the time, that saving takes at most: the more there is, the longer the pauses."""
_ATTEMPTS = 3

_log = logging.getLogger("stepweave.saving")
_asked = threading.Event()
"""Set when a request came since the last time, so that an idle server does not write."""
_over = threading.Event()


def save() -> None:
    """Write the state of every service that is in use."""
    for name, state_of in ministack.app._build_persistence_save_dict().items():
        for _ in range(_ATTEMPTS):
            try:
                state = state_of()
            except RuntimeError:
                continue  # it changed while it was copied
            if state is not None:
                persistence.save_state(name, state)
            break
        else:
            _log.warning("the state of %s could not be saved this time: it changes all the time", name)


def _install(setting: Setting) -> None:
    answer: Callable[..., Awaitable[None]] = ministack.app.app

    async def noting(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope.get("method") not in (None, "GET", "HEAD"):
            _asked.set()
        await answer(scope, receive, send)

    ministack.app.app = noting


def _start() -> None:
    threading.Thread(target=_save_now_and_then, daemon=True, name="saving").start()


def _save_now_and_then() -> None:
    pause = SHORTEST_PAUSE_SECONDS
    while not _over.wait(pause):
        if _asked.is_set():
            _asked.clear()
            began = time.monotonic()
            save()
            pause = max(SHORTEST_PAUSE_SECONDS, (time.monotonic() - began) / LARGEST_SHARE)


PART = Part(
    name="saving",
    seams=(
        Seam("ministack.app", "app", ("scope", "receive", "send")),
        Seam("ministack.app", "_build_persistence_save_dict", ()),
        Seam("ministack.core.persistence", "save_state", ("service", "data")),
    ),
    install=_install,
    start=_start,
    stop=_over.set,
)

"""One part of the layer: what it needs of ministack, and what it does when the server starts and stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stepweave.local_aws.layer.seams import Seam


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the server tells its parts."""

    port: int
    endpoint: str
    """``http://127.0.0.1:<port>``."""
    state: Path
    """Folder of what survives a restart."""
    temporary: Path
    """Folder of what does not."""
    clock_speed: float
    """Seconds that pass in schedules, waits and alarms for every second here."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A concern of the layer."""

    name: str
    seams: tuple[Seam, ...] = ()
    install: Callable[[Setting], None]
    """Replace functions of ministack; called before the server starts."""
    start: Callable[[], None] = _nothing
    """Called in a thread when the state of before is loaded and the server answers."""
    stop: Callable[[], None] = _nothing
    """Called in a thread before the state is saved."""

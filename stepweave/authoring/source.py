"""Where in the user's code we are, found without building a stack trace."""

from __future__ import annotations

import os
import sys
from types import FrameType

from stepweave.graph.model import Source

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_OURS: dict[str, bool] = {}
_NAMES: dict[tuple[str, str], str] = {}


def here() -> Source:
    """File and line of the nearest caller outside this library (``<unknown>``, line 1, when there is none)."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not is_ours(file):
            return Source(file=shown(file), line=frame.f_lineno)
        frame = frame.f_back
    return Source(file="<unknown>", line=1)


def is_ours(file: str) -> bool:
    """Whether ``file`` is part of this library."""
    ours = _OURS.get(file)
    if ours is None:
        ours = _OURS[file] = file.startswith(_PACKAGE)
    return ours


def shown(file: str) -> str:
    """``file`` as a user would name it: relative to the working directory when it lies inside it."""
    cwd = os.getcwd()
    name = _NAMES.get((cwd, file))
    if name is None:
        inside = os.path.isabs(file) and file.startswith(cwd.rstrip(os.sep) + os.sep)
        name = _NAMES[cwd, file] = os.path.relpath(file, cwd) if inside else file
    return name

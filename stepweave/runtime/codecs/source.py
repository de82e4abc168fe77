"""What codecs write to and read from: bytes in memory, or a file when they are many."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

LARGE_BYTES = 64 << 20
"""From this size on, a value goes through a file instead of memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A member as its codec wrote it."""

    codec: str
    extension: str
    """End of the object's name, without a dot."""
    data: bytes | None = None
    path: str | None = None
    """File that holds it when ``data`` is None."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What the reader needs besides, as a JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A stored member to read, whose digest has been checked."""

    data: bytes | None = None
    path: str | None = None
    """Local file that holds it when ``data`` is None; not to be changed."""
    extra: dict[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The content."""
        if self.data is not None:
            return self.data
        with open(self.path or "", "rb") as file:
            return file.read()

    def readable(self) -> Any:
        """A path, or a binary file in memory: what the readers of the data libraries take."""
        return self.path if self.data is None else io.BytesIO(self.data)

"""Codec of ``bytes`` and ``bytearray``: the content as it is."""

from __future__ import annotations

from typing import Any

from stepweave.runtime.codecs.source import Encoded, Source
from stepweave.runtime.scratch import Scratch


def encode(value: bytes | bytearray, scratch: Scratch) -> Encoded:
    """The bytes themselves."""
    return Encoded(
        codec="raw", extension="bin", data=bytes(value), extra={"mutable": isinstance(value, bytearray)}
    )


def decode(codec: str, source: Source) -> Any:
    """The bytes again, of the same type."""
    return bytearray(source.bytes()) if source.extra.get("mutable") else source.bytes()

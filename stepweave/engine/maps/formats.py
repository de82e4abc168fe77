"""What an object holds: JSON, JSON Lines and compressed content, as data.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import gzip
import importlib
import io
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stepweave.engine import payload
from stepweave.engine.maps.items import ITEM_BYTES, FormatError, item_reader_failed

FILE_BYTES = 10 * 1024**3
"""Largest file, after decompression: same page."""

_GZIP = (".gz", ".gzip")
_ZSTD = (".zst", ".zstd")


def decompressed(data: bytes, key: str) -> bytes:
    """The content of an object, decompressed where the ending of its key says that it is compressed."""
    if key.endswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise FormatError(f"it is not gzip: {error}") from error
    elif key.endswith(_ZSTD):
        data = arrow("zstd").unzstd(data)
    if len(data) > FILE_BYTES:
        raise FormatError(f"it has {len(data)} bytes, more than the maximum of {FILE_BYTES}")
    return data


def arrow(what: str) -> Any:
    """The module that reads ``what`` with pyarrow; ``FormatError`` when that is not installed."""
    # The one lazy import of this package: pyarrow costs 60 MB and a quarter of a second, which few definitions need.
    try:
        return importlib.import_module("stepweave.engine.maps.arrow")
    except ModuleNotFoundError as error:
        raise FormatError(
            f"reading {what} needs the package {error.name!r}: pip install 'stepweave[data]'"
        ) from error


def json_items(data: bytes, pointer: str = "") -> Sequence[Any] | Mapping[str, Any]:
    """The array or the object that a JSON file holds, or that ``pointer`` finds in it."""
    found = _pointed(_parsed(data), pointer)
    if not isinstance(found, list | dict):
        raise item_reader_failed("Attempting to map over non-iterable node.")
    if len(data) > ITEM_BYTES:
        for item in found.values() if isinstance(found, dict) else found:
            if len(payload.to_text(item).encode("utf-8", "surrogatepass")) > ITEM_BYTES:
                raise FormatError(f"an item has more than {ITEM_BYTES} bytes")
    return found


def json_lines(data: bytes) -> Iterator[Any]:
    """The value of every line that is not blank."""
    for number, line in enumerate(io.BytesIO(data), 1):
        if len(line) > ITEM_BYTES:
            raise FormatError(f"line {number} has more than {ITEM_BYTES} bytes")
        if text := line.strip():
            try:
                yield _parsed(text)
            except FormatError as error:
                raise FormatError(f"line {number}: {error}") from error


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_number)
    except UnicodeDecodeError as error:
        raise FormatError(f"it is not UTF-8: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"it is not JSON: {error}") from error


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is beyond the numbers that a machine has")
    return number


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")


def _pointed(document: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) finds."""
    if pointer and not pointer.startswith("/"):
        raise FormatError(f"ItemsPointer is not a JSON pointer: {pointer!r}")
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise FormatError(f"ItemsPointer {pointer!r} finds nothing in it")
    return found

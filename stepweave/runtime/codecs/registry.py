"""Which codec stores a member that is no JSON, and which one reads it back: the one place where codecs are imported.

A codec module is imported when a value of its library is met, so a task that returns a dict never pays for pandas.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol, cast

from stepweave.errors import CodecError
from stepweave.runtime.codecs.source import Encoded, Source
from stepweave.runtime.scratch import Scratch

_PACKAGE = "stepweave.runtime.codecs"

# Top-level package of a class (or of one of its bases) → the module that knows it.
_BY_PACKAGE = {
    "numpy": "arrays",
    "pandas": "frames",
    "polars": "polars_frames",
    "pyarrow": "frames",
    "sklearn": "models",
}

# Name of a codec → the module that reads it.
_BY_CODEC = {
    "raw": "raw",
    "npy": "arrays",
    "npz": "arrays",
    "pandas-parquet": "frames",
    "pandas-series-parquet": "frames",
    "arrow-parquet": "frames",
    "polars-parquet": "polars_frames",
    "polars-series-parquet": "polars_frames",
    "skops": "models",
    "joblib": "models",
    "pickle": "pickled",
}


class CodecModule(Protocol):
    """What a codec module offers."""

    def encode(self, value: Any, scratch: Scratch) -> Encoded | None:
        """The value as bytes or as a file; None when this codec cannot keep it exactly."""

    def decode(self, codec: str, source: Source) -> Any:
        """The value again."""


def encode_member(value: Any, where: str, scratch: Scratch) -> Encoded:
    """``value`` by the codec of its library, else pickled; ``CodecError`` naming ``where`` when neither can."""
    for name in _codecs_for(value):
        encoded = _module(name).encode(value, scratch)
        if encoded is not None:
            return encoded
    return cast("Any", _module("pickled")).encode_named(value, where)  # type: ignore[no-any-return]


def encode_arrays(value: dict[Any, Any], scratch: Scratch) -> Encoded | None:
    """A dict whose members are all arrays as one file; None for any other dict."""
    for name, member in value.items():
        if type(name) is not str or type(member).__module__ != "numpy" or type(member).__name__ != "ndarray":
            return None
    return cast("Any", _module("arrays")).encode_dict(value, scratch)  # type: ignore[no-any-return]


def decode_member(codec: str, source: Source) -> Any:
    """The member that ``codec`` wrote."""
    name = _BY_CODEC.get(codec)
    if name is None:
        raise CodecError(f"a stored value was written by the unknown codec {codec!r}; upgrade stepweave")
    try:
        return _module(name).decode(codec, source)
    except ModuleNotFoundError as error:
        raise CodecError(
            f"reading a stored value ({codec}) needs the package {error.name!r}, which is not installed here"
        ) from error


def _codecs_for(value: Any) -> list[str]:
    if isinstance(value, (bytes, bytearray)):
        return ["raw"]
    packages = (base.__module__.partition(".")[0] for base in type(value).__mro__)
    names = [_BY_PACKAGE[package] for package in packages if package in _BY_PACKAGE]
    return list(dict.fromkeys(names))


def _module(name: str) -> CodecModule:
    return cast(CodecModule, importlib.import_module(f"{_PACKAGE}.{name}"))

"""Codecs of numpy arrays: ``npy`` for one, ``npz`` for a dict of them. Never pickled."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from stepweave.runtime.codecs.source import LARGE_BYTES, Encoded, Source
from stepweave.runtime.scratch import Scratch


def encode(value: Any, scratch: Scratch) -> Encoded | None:
    """An array as ``.npy``; None for arrays of objects and for subclasses, which the format cannot keep."""
    if type(value) is not np.ndarray or value.dtype.hasobject:
        return None
    if value.nbytes > LARGE_BYTES:
        path = f"{scratch.fresh()}/output.npy"
        np.save(path, value, allow_pickle=False)
        return Encoded(codec="npy", extension="npy", path=path)
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=False)
    return Encoded(codec="npy", extension="npy", data=buffer.getvalue())


def encode_dict(value: dict[str, Any], scratch: Scratch) -> Encoded | None:
    """A dict of arrays as ``.npz``; None when one of them is no plain array, or a name does not fit the format."""
    for name, member in value.items():
        if (
            type(member) is not np.ndarray
            or member.dtype.hasobject
            or not name.isidentifier()
            or name == "file"
        ):
            return None
    if sum(member.nbytes for member in value.values()) > LARGE_BYTES:
        path = f"{scratch.fresh()}/output.npz"
        np.savez(path, **value)
        return Encoded(codec="npz", extension="npz", path=path)
    buffer = io.BytesIO()
    np.savez(buffer, **value)
    return Encoded(codec="npz", extension="npz", data=buffer.getvalue())


def decode(codec: str, source: Source) -> Any:
    """The array, or the dict of arrays; writable and of its own memory."""
    if codec == "npz":
        with np.load(source.readable(), allow_pickle=False) as members:
            return {name: members[name] for name in members.files}
    return np.load(source.readable(), allow_pickle=False)

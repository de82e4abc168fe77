"""Codec of every other object that pickles, such as models of other libraries.

Unpickling runs code, so the reader accepts only objects of the run's own store whose digest matches the envelope; both
are checked before this module sees them (:mod:`stepweave.runtime.codecs.parts`).
"""

from __future__ import annotations

import pickle
from typing import Any

from stepweave.errors import CodecError
from stepweave.runtime.codecs.source import Encoded, Source
from stepweave.runtime.scratch import Scratch


def encode(value: Any, scratch: Scratch) -> Encoded:
    """The pickled value."""
    return encode_named(value, "value")


def encode_named(value: Any, where: str) -> Encoded:
    """The pickled value; ``CodecError`` that says ``where`` the value that does not pickle is, and what to do."""
    try:
        data = pickle.dumps(value, protocol=5)
    except Exception as error:  # whatever a __reduce__ raises
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise CodecError(
            f"{where} is a {kind}, which cannot be stored ({error}); "
            "return data (numbers, texts, lists, dicts, dataclasses, frames, arrays, models, paths), "
            "and open files, locks, connections and generators inside the task that uses them"
        ) from error
    return Encoded(codec="pickle", extension="pkl", data=data)


def decode(codec: str, source: Source) -> Any:
    """The object again; its module must be importable."""
    return pickle.loads(source.bytes())

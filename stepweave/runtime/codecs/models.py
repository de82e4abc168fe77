"""Codecs of fitted scikit-learn estimators: ``skops`` when it trusts every type inside, else ``joblib``.

A skops file holds no code (https://skops.readthedocs.io/en/stable/persistence.html). joblib pickles, so the rule of
:mod:`stepweave.runtime.codecs.pickled` holds for it: own store, matching digest.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
from typing import Any

import joblib

from stepweave.runtime.codecs.source import Encoded, Source
from stepweave.runtime.scratch import Scratch


def encode(value: Any, scratch: Scratch) -> Encoded | None:
    """The estimator; None when it does not pickle either."""
    data = _by_skops(value)
    if data is not None:
        return Encoded(codec="skops", extension="skops", data=data)
    buffer = io.BytesIO()
    try:
        joblib.dump(value, buffer, protocol=5)
    except Exception:  # whatever a __reduce__ raises; the pickle codec will say where and why
        return None
    return Encoded(codec="joblib", extension="joblib", data=buffer.getvalue())


def decode(codec: str, source: Source) -> Any:
    """The estimator again."""
    if codec == "skops":
        return importlib.import_module("skops.io").loads(source.bytes())
    return joblib.load(source.readable())


def _by_skops(value: Any) -> bytes | None:
    if importlib.util.find_spec("skops") is None:
        return None
    skops: Any = importlib.import_module("skops.io")
    try:
        data: bytes = skops.dumps(value)
        return None if skops.get_untrusted_types(data=data) else data
    except Exception:  # skops raises many classes for what it does not support; joblib is the answer to all
        return None

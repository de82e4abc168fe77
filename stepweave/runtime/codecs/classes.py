"""Classes ↔ ``module:qualname``, the way in which a stored value names its class."""

from __future__ import annotations

import sys
from typing import Any

from stepweave.errors import CodecError, PermanentError
from stepweave.runtime.resolve import named_object


def class_name(cls: type, where: str) -> str:
    """``module:qualname`` of ``cls``; ``CodecError`` when the reader could not import it by that name."""
    name = f"{cls.__module__}:{cls.__qualname__}"
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not cls:
        raise CodecError(
            f"{where} is a {cls.__qualname__}, which cannot be imported from {cls.__module__!r}; "
            "define the class at the top level of a module"
        )
    return name


def class_named(name: str) -> Any:
    """The class behind ``module:qualname``; ``CodecError`` when it is gone."""
    try:
        found = named_object(name)
    except PermanentError as error:
        raise CodecError(f"a stored value is of a class that is gone: {error}") from error
    if not isinstance(found, type):
        raise CodecError(f"a stored value names {name!r} as its class, which is a {type(found).__name__}")
    return found

"""Exceptions of a task → the four classes by which retries are chosen.

The class of an exception is the first hit along its method resolution order, so a subclass follows its base:

    TransientError   whatever is not named below, ``OSError`` and ``TimeoutError`` among it; another attempt may succeed
    ResourceError    out of memory, disk or file descriptors
    DataError        text or data that does not parse or validate
    PermanentError   mistakes in code or permissions

``ValueError`` and ``RuntimeError`` are transient because ``retries=3`` on a task promises three retries for what its
libraries raise most; a task that knows better raises ``Fail`` or ``DataError``.
"""

from __future__ import annotations

import errno
import json

from stepweave.errors import (
    CodecError,
    DataError,
    PermanentError,
    ResourceError,
    Skip,
    StoreError,
    TaskError,
    TransientError,
    UsageError,
)

ERROR_BYTES = 8 * 1024
"""Longest text of an error: a ``Cause`` may have 32,768 characters, and several travel in one payload
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html)."""

_MESSAGE_BYTES = 3 * 1024

_BY_CLASS: dict[type[BaseException], type[TaskError] | type[Skip]] = {
    Skip: Skip,
    TransientError: TransientError,
    ResourceError: ResourceError,
    DataError: DataError,
    PermanentError: PermanentError,
    TaskError: TransientError,
    MemoryError: ResourceError,
    UnicodeError: DataError,
    json.JSONDecodeError: DataError,
    CodecError: DataError,
    UsageError: PermanentError,
    TypeError: PermanentError,
    AttributeError: PermanentError,
    NameError: PermanentError,
    ImportError: PermanentError,
    SyntaxError: PermanentError,
    NotImplementedError: PermanentError,
    AssertionError: PermanentError,
    PermissionError: PermanentError,
    SystemExit: PermanentError,
}

# By name, because the runtime does not import these packages.
_BY_NAME: dict[str, type[TaskError]] = {
    "pydantic_core._pydantic_core.ValidationError": DataError,
    "pandera.errors.SchemaError": DataError,
    "pandera.errors.SchemaErrors": DataError,
    "pandera.errors.SchemaDefinitionError": PermanentError,
    "pyarrow.lib.ArrowInvalid": DataError,
    "torch.OutOfMemoryError": ResourceError,
    "torch.cuda.OutOfMemoryError": ResourceError,
}

_RESOURCE_ERRNOS = frozenset({errno.ENOSPC, errno.ENOMEM, errno.EDQUOT, errno.EMFILE, errno.ENFILE})
_SEVEREST_FIRST = (PermanentError, DataError, ResourceError, TransientError, Skip)


def error_class(error: BaseException) -> type[TaskError] | type[Skip]:
    """The class as which ``error`` is reported to the state machine."""
    if isinstance(error, BaseExceptionGroup):
        members = {error_class(member) for member in error.exceptions}
        return next(found for found in _SEVEREST_FIRST if found in members)
    if isinstance(error, OSError) and error.errno in _RESOURCE_ERRNOS:
        return ResourceError
    if isinstance(error, StoreError) and isinstance(error.__cause__, OSError):
        return error_class(error.__cause__)
    for base in type(error).__mro__:
        found = _BY_CLASS.get(base) or _BY_NAME.get(f"{base.__module__}.{base.__qualname__}")
        if found is not None:
            return found
    return TransientError


def reported(error: BaseException) -> TaskError | Skip:
    """``error`` as the exception to raise to the state machine: one of the classes, with a JSON object as its text."""
    return error_class(error)(error_text(error))


def error_text(error: BaseException) -> str:
    """``{"type", "message", "traceback"}`` as JSON text of at most :data:`ERROR_BYTES`; a traceback keeps its end."""
    message = _shortened(str(error), _MESSAGE_BYTES, keep_end=False)
    parts = {"type": type(error).__qualname__, "message": message, "traceback": _traceback(error)}
    text = json.dumps(parts, ensure_ascii=False)
    while (excess := len(text.encode("utf-8", "replace")) - ERROR_BYTES) > 0 and parts["traceback"]:
        size = len(parts["traceback"].encode("utf-8", "replace"))
        parts["traceback"] = _shortened(parts["traceback"], max(0, size - excess - 64), keep_end=True)
        text = json.dumps(parts, ensure_ascii=False)
    # A text of surrogates or control characters grows in the encoding; then the message has to give way too.
    while len(text.encode("utf-8", "replace")) > ERROR_BYTES:
        parts["message"] = parts["message"][: len(parts["message"]) // 2]
        text = json.dumps(parts, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()


def _traceback(error: BaseException) -> str:
    import traceback  # only a failed attempt pays for it

    frames = error.__traceback__
    # The frames of the runtime above the user's function say nothing to the user.
    while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith(
        "stepweave.runtime"
    ):
        frames = frames.tb_next
    shown = error.with_traceback(frames) if frames is not None else error
    return "".join(traceback.format_exception(shown))


def _shortened(text: str, limit: int, *, keep_end: bool) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return text
    kept = data[len(data) - limit :] if keep_end else data[:limit]
    cut = kept.decode("utf-8", "ignore")
    return f"… {cut}" if keep_end else f"{cut} …"

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


class MachineError(Exception):
    """Base of the errors that state machines know by their own names, besides the four classes and ``Skip``."""

    logged = True
    """Whether it is worth a line in the log of the attempt."""


ERROR_BYTES = 8 * 1024
"""Longest text of an error: a ``Cause`` may have 32,768 characters, and several travel in one payload
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html)."""

_MESSAGE_BYTES = 3 * 1024
_TYPE_BYTES = 256

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
    RecursionError: PermanentError,
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

_AWS_ERROR = "botocore.exceptions.ClientError"
_DENIED_CODES = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
)
"""What AWS answers to somebody whose policies do not allow a call; another attempt has the same policies."""

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
    if _is_denied(error):
        return PermanentError
    for base in type(error).__mro__:
        found = _BY_CLASS.get(base) or _BY_NAME.get(f"{base.__module__}.{base.__qualname__}")
        if found is not None:
            return found
    return TransientError


def _is_denied(error: BaseException) -> bool:
    """Whether AWS refused a call for a missing permission."""
    if not any(f"{base.__module__}.{base.__qualname__}" == _AWS_ERROR for base in type(error).__mro__):
        return False
    answer = getattr(error, "response", None) or {}
    return answer.get("Error", {}).get("Code") in _DENIED_CODES


def reported(error: BaseException) -> TaskError | Skip | MachineError:
    """``error`` as the exception to raise to the state machine: one of the classes, with a JSON object as its text."""
    known = type(error) if isinstance(error, MachineError) else error_class(error)
    return known(error_text(error))


def error_text(error: BaseException) -> str:
    """``{"type", "message", "traceback"}`` as JSON text of at most :data:`ERROR_BYTES`; a traceback keeps its end."""
    name = _fitted(type(error).__qualname__, _TYPE_BYTES, keep_end=False)
    message = _fitted(str(error), _MESSAGE_BYTES, keep_end=False)
    rest = ERROR_BYTES - _size({"type": name, "message": message, "traceback": ""})
    return _text(
        {"type": name, "message": message, "traceback": _fitted(traceback_text(error), rest, keep_end=True)}
    )


def traceback_text(error: BaseException) -> str:
    """The traceback of ``error`` as Python prints it, from the user's function on."""
    import traceback  # only a failed attempt pays for it

    frames = error.__traceback__
    # The frames of the runtime above the user's function say nothing to the user.
    while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith(
        "stepweave.runtime"
    ):
        frames = frames.tb_next
    if frames is None:  # the runtime's own: its message says it all
        return "".join(traceback.format_exception_only(error))
    return "".join(traceback.format_exception(error.with_traceback(frames)))


def _fitted(text: str, limit: int, *, keep_end: bool) -> str:
    """As much of ``text`` as takes at most ``limit`` bytes in JSON, escapes counted."""
    text = text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate cannot be sent
    if _size(text) <= limit:
        return text
    low, high = 0, min(len(text), limit)
    while low < high:  # the longest cut that fits
        middle = (low + high + 1) // 2
        if _size(_cut(text, middle, keep_end=keep_end)) <= limit:
            low = middle
        else:
            high = middle - 1
    return _cut(text, low, keep_end=keep_end)


def _cut(text: str, length: int, *, keep_end: bool) -> str:
    return f"… {text[len(text) - length :]}" if keep_end else f"{text[:length]} …"


def _text(parts: object) -> str:
    return json.dumps(parts, ensure_ascii=False)


def _size(parts: object) -> int:
    return len(_text(parts).encode())

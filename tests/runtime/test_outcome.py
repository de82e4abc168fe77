import errno
import json

import pyarrow as pa
import pydantic
import pytest
from botocore.exceptions import ClientError

from stepweave.errors import (
    CodecError,
    DataError,
    Fail,
    PermanentError,
    ResourceError,
    RetryAfter,
    Skip,
    StoreError,
    TransientError,
)
from stepweave.runtime.outcome import ERROR_BYTES, error_class, error_text, reported


class OwnDataError(DataError):
    pass


def validation_error():
    try:
        pydantic.TypeAdapter(int).validate_python("x")
    except pydantic.ValidationError as error:
        return error


def caused_by(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error, expected",
    [
        (Exception(), TransientError),
        (ValueError(), TransientError),
        (RuntimeError(), TransientError),
        (KeyError(), TransientError),
        (ConnectionResetError(), TransientError),
        (TimeoutError(), TransientError),
        (FileNotFoundError(), TransientError),
        (OSError(errno.EIO, "io"), TransientError),
        (RetryAfter(3), TransientError),
        (MemoryError(), ResourceError),
        (OSError(errno.ENOSPC, "full"), ResourceError),
        (OSError(errno.ENOMEM, "memory"), ResourceError),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), DataError),
        (json.JSONDecodeError("no", "", 0), DataError),
        (validation_error(), DataError),
        (pa.ArrowInvalid("no"), DataError),
        (CodecError(), DataError),
        (OwnDataError(), DataError),
        (TypeError(), PermanentError),
        (AttributeError(), PermanentError),
        (NameError(), PermanentError),
        (ModuleNotFoundError(), PermanentError),
        (SyntaxError(), PermanentError),
        (NotImplementedError(), PermanentError),
        (AssertionError(), PermanentError),
        (PermissionError(errno.EACCES, "no"), PermanentError),
        (RecursionError("too deep"), PermanentError),
        (SystemExit(1), PermanentError),
        (Fail(), PermanentError),
        (Skip(), Skip),
        (StoreError("lost"), TransientError),
        (caused_by(StoreError("full"), OSError(errno.ENOSPC, "full")), ResourceError),
        (ExceptionGroup("both", [ValueError(), TypeError()]), PermanentError),
        (ExceptionGroup("both", [ValueError(), KeyError()]), TransientError),
    ],
)
def test_an_exception_is_reported_by_its_class(error, expected):
    assert error_class(error) is expected
    assert type(reported(error)) is expected


def test_the_class_of_a_library_is_known_by_its_name():
    schema_error = type("SchemaError", (Exception,), {"__module__": "pandera.errors"})
    assert error_class(schema_error()) is DataError


@pytest.mark.parametrize(
    "code, expected",
    [
        ("AccessDenied", PermanentError),
        ("AccessDeniedException", PermanentError),
        ("SlowDown", TransientError),
    ],
)
def test_a_missing_permission_on_aws_is_permanent_and_what_passes_is_not(code, expected):
    error = ClientError({"Error": {"Code": code, "Message": "no"}}, "GetObject")
    assert error_class(error) is expected
    modeled = type("InvalidRequestException", (ClientError,), {"__module__": "botocore.errorfactory"})
    assert error_class(modeled(error.response, "GetObject")) is expected


def raised(error):
    try:
        raise error
    except Exception as caught:
        return caught


def test_the_text_says_type_message_and_traceback():
    found = json.loads(error_text(raised(ValueError("no such column: ä"))))
    assert (found["type"], found["message"]) == ("ValueError", "no such column: ä")
    assert "raise error" in found["traceback"]


@pytest.mark.parametrize(
    "message", ["x" * 100_000, "ä" * 50_000, "\x00" * 50_000, '"' * 50_000, "\ud800" * 20_000]
)
def test_the_text_is_json_of_limited_length_whatever_the_message(message):
    text = error_text(raised(ValueError(message)))
    assert len(text.encode()) <= ERROR_BYTES
    assert json.loads(text)["message"][:1] in (message[0], "\\")


def test_a_long_traceback_keeps_its_end():
    def deep(level):
        if level == 0:
            raise ValueError("at the bottom")
        marker = level % 7  # lines that differ are not folded
        (deep if marker else deeper)(level - 1)

    def deeper(level):
        deep(level)

    with pytest.raises(ValueError, match="bottom") as caught:
        deep(300)
    found = json.loads(error_text(caught.value))
    assert found["traceback"].startswith("… ")
    assert found["traceback"].rstrip().endswith("ValueError: at the bottom")

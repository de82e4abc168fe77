"""Where an object of a bucket lies as a file: keys that are plain paths stay what they are, others are escaped.

data/july.csv     data/july.csv          a plain key is its own path, so files put there by hand are objects
data/             data/%                 an empty part is written as %
../etc            %2E./etc               no part is . or .. and none starts with .~ (files being written)
50%25             50%2525                % only where it would be read as an escape
"""

from __future__ import annotations

import re

from stepweave.engine.failures import StateError

KEY_BYTES = 1_024
"""Longest key, in UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html."""

RESERVED = ".~"
"""What the names of files start with that are no objects: files being written, properties."""

ASIDE = "%"
"""What the file of an object is called beside a folder of the same name: ``a%`` is ``a`` where ``a/b`` exists too."""

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; old buckets have longer names.
_BUCKET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){1,253}[A-Za-z0-9]")
_ESCAPES = r"25|2E|[01][0-9A-F]|7F"
_AMBIGUOUS = re.compile(rf"%(?={_ESCAPES}|$)")
_ESCAPED = re.compile(rf"%({_ESCAPES})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def s3_error(name: str, cause: str, status: int) -> StateError:
    """The error of a call to S3 as a task sees it: the Java SDK's exception, and its text.

    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    return StateError(f"S3.{name}", f"{cause} (Service: S3, Status Code: {status})")


def check_bucket(bucket: str) -> str:
    """``bucket``, which must be the name of one; raises ``S3.S3Exception``."""
    if not _BUCKET.fullmatch(bucket):
        raise s3_error("S3Exception", f"The specified bucket is not valid: {bucket!r}", 400)
    return bucket


def check_key(key: str) -> str:
    """``key``, which must be one that S3 takes; raises ``S3.S3Exception``."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise s3_error("S3Exception", "Couldn't parse the specified URI.", 400) from None
    if not size:
        raise s3_error("S3Exception", "The key is empty.", 400)
    if size > KEY_BYTES:
        raise s3_error("S3Exception", "Your key is too long", 400)
    return key


def is_key(text: str) -> bool:
    """Whether an object can have this key; a file put there by hand may have a name that none can."""
    try:
        return 0 < len(text.encode()) <= KEY_BYTES
    except UnicodeEncodeError:
        return False


def path_of(key: str) -> str:
    """The relative path of an object's file.

    >>> path_of("data/july.csv"), path_of("a//../b")
    ('data/july.csv', 'a/%/%2E./b')
    """
    return "/".join(map(_name_of, check_key(key).split("/")))


def key_of(path: str) -> str:
    """The key of the object whose file is at the relative ``path``.

    >>> key_of("a/%/%2E./b"), key_of("a%")
    ('a//../b', 'a')
    """
    return "/".join(map(_part_of, path.split("/")))


def _name_of(part: str) -> str:
    if not part:
        return ASIDE
    name = _CONTROL.sub(lambda found: f"%{ord(found[0]):02X}", _AMBIGUOUS.sub("%25", part))
    return f"%2E{name[1:]}" if name in (".", "..") or name.startswith(RESERVED) else name


def _part_of(name: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name.removesuffix(ASIDE))

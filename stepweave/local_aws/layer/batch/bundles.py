"""The code of a job that is no container image here: a zip in a bucket, unpacked once."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path

from stepweave.local_aws.layer.clients import client

VARIABLE = "STEPWEAVE_BUNDLE"
"""Environment variable of a job definition with the zip's ``s3://bucket/key``."""


def unpacked(uri: str, folder: Path) -> Path:
    """The folder with the bundle's content. Raises what boto3 raises when it cannot be read."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    tag = client("s3").head_object(Bucket=bucket, Key=key)["ETag"]
    target = folder / f"bundle-{hashlib.sha256(f'{uri} {tag}'.encode()).hexdigest()[:32]}"
    if not target.exists():
        part = Path(tempfile.mkdtemp(prefix="part-", dir=folder))
        archive = part.with_suffix(".zip")
        client("s3").download_file(bucket, key, str(archive))
        with zipfile.ZipFile(archive) as content:
            content.extractall(part)
        archive.unlink()
        try:
            part.rename(target)
        except OSError:  # another job was faster
            shutil.rmtree(part, ignore_errors=True)
    return target

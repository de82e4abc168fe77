"""Files and folders that a deployment uploads, told to the stack by their digests.

CDK's own assets are copied into the assembly and hashed there; code bundles are large, lie in a cache and have a digest
already, so that copying hundreds of megabytes for each synthesis would buy nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import FileAssetPackaging, Stack


def code(stack: Stack, path: Path, digest: str) -> tuple[str, str]:
    """Bucket and key of code: a zip, or a folder that the upload makes one of."""
    packaging = FileAssetPackaging.FILE if path.is_file() else FileAssetPackaging.ZIP_DIRECTORY
    return _uploaded(stack, path, digest, packaging)


def file(stack: Stack, path: Path) -> tuple[str, str]:
    """Bucket and key of a file."""
    return _uploaded(stack, path, hashlib.sha256(path.read_bytes()).hexdigest(), FileAssetPackaging.FILE)


def image(
    stack: Stack, context: Path, dockerfile: str, digest: str, *, arguments: Mapping[str, str], platform: str
) -> str:
    """Address of the image that a deployment builds from the folder ``context``."""
    location = stack.synthesizer.add_docker_image_asset(
        source_hash=digest,
        directory_name=str(context.resolve()),
        docker_file=dockerfile,
        docker_build_args=dict(arguments),
        platform=platform,
    )
    return location.image_uri


def _uploaded(stack: Stack, path: Path, digest: str, packaging: FileAssetPackaging) -> tuple[str, str]:
    location = stack.synthesizer.add_file_asset(
        source_hash=digest, file_name=str(path.resolve()), packaging=packaging
    )
    return location.bucket_name, location.object_key

"""Files and folders that a stack brings along, referred to by their content.

CDK would copy and digest every folder in each synthesis; a bundle knows its digest and stays where it is.
"""

from __future__ import annotations

from pathlib import Path

from aws_cdk import FileAssetLocation, FileAssetPackaging, Stack


def folder_asset(stack: Stack, *, path: Path, digest: str, shown: str) -> FileAssetLocation:
    """Where the zip of a ready folder will be; ``digest`` names its content, ``shown`` names it for people."""
    return stack.synthesizer.add_file_asset(
        source_hash=digest,
        file_name=str(path.resolve()),
        packaging=FileAssetPackaging.ZIP_DIRECTORY,
        display_name=shown,
    )


def file_asset(stack: Stack, *, path: Path, digest: str, shown: str) -> FileAssetLocation:
    """Where a file will be, as it is."""
    return stack.synthesizer.add_file_asset(
        source_hash=digest,
        file_name=str(path.resolve()),
        packaging=FileAssetPackaging.FILE,
        display_name=shown,
    )

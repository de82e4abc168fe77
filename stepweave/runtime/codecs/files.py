"""Codec of ``Path``: a file or a folder is stored, and the reader gets a local copy of the same name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from stepweave.errors import CodecError

CODEC = "path"


def encode_path(value: PurePath, where: str, upload: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The part of a path; ``upload`` stores one file and answers its ``{"key", "digest", "size"}``."""
    path = os.path.abspath(value)
    name = os.path.basename(path)
    if os.path.isfile(path):
        return {"codec": CODEC, "name": name, **upload(path)}
    if not os.path.isdir(path):
        raise CodecError(
            f"{where} is the path {str(value)!r}, which does not exist; write the file before returning its path, "
            "or return a str if no file is meant"
        )
    files = [{"name": relative, **upload(os.path.join(path, relative))} for relative in _files_below(path)]
    return {"codec": CODEC, "name": name, "size": sum(file["size"] for file in files), "files": files}


def decode_path(part: dict[str, Any], folder: str, download: Callable[[dict[str, Any], str], None]) -> str:
    """The local copy of a stored path, inside ``folder``; ``download`` fetches one file."""
    target = _inside(folder, part["name"] or "root")
    if "files" not in part:
        download(part, target)
        return target
    os.makedirs(target, exist_ok=True)
    for file in part["files"]:
        path = _inside(target, file["name"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        download(file, path)
    return target


def _files_below(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(parent, name), folder)


def _inside(folder: str, name: str) -> str:
    path = os.path.normpath(os.path.join(folder, name))
    if not path.startswith(folder + os.sep):
        raise CodecError(f"a stored path has the name {name!r}, which leads out of its folder")
    return path

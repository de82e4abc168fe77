"""Small projects on disk, and wheels that a resolver finds without a network."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import textwrap
import zipfile
from collections.abc import Mapping
from pathlib import Path


def write(root: Path, files: Mapping[str, str]) -> Path:
    """``root``, in which the files are; text is dedented."""
    for inside, text in files.items():
        file = root / inside
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return root


def wheel(
    folder: Path, name: str, version: str, files: Mapping[str, bytes], requires: tuple[str, ...] = ()
) -> Path:
    """A wheel for every platform."""
    stem = f"{name.replace('-', '_')}-{version}"
    headers = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    info = {
        "METADATA": ("Metadata-Version: 2.1\n" + "\n".join(headers) + "\n").encode(),
        "WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    content = {**files, **{f"{stem}.dist-info/{key}": text for key, text in info.items()}}
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for inside, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([inside, f"sha256={digest}", len(data)])
    rows.writerow([f"{stem}.dist-info/RECORD", "", ""])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, data in content.items():
            archive.writestr(inside, data)
        archive.writestr(f"{stem}.dist-info/RECORD", record.getvalue())
    return path

"""`distributions(folder)`: which distributions were unpacked into a folder, and how large they are."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution."""

    name: str
    """In normal form: ``scikit-learn``."""
    version: str
    files: tuple[str, ...]
    """Paths from the folder, as its ``RECORD`` lists them."""
    requires: tuple[str, ...]
    """Names of what it requires, under whatever conditions."""


def normal(name: str) -> str:
    """A distribution's name as PyPI writes it.

    >>> normal("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def required(requirement: str) -> str:
    """The name in a requirement.

    >>> required("skops[rust]>=0.13 ; python_version > '3.11'")
    'skops'
    """
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return normal(match[1].rstrip("._-")) if match else ""


def distributions(folder: Path) -> tuple[Distribution, ...]:
    """The distributions in ``folder``, by name; to be asked before their ``RECORD`` is taken out."""
    return tuple(sorted(map(_read, folder.glob("*.dist-info")), key=lambda one: one.name))


def _read(info: Path) -> Distribution:
    headers = HeaderParser().parsestr((info / "METADATA").read_text(encoding="utf-8"))
    record = (info / "RECORD").read_text(encoding="utf-8").splitlines()
    return Distribution(
        name=normal(headers["Name"]),
        version=headers["Version"],
        files=tuple(row[0] for row in csv.reader(record) if row),
        requires=tuple(required(one) for one in headers.get_all("Requires-Dist", ())),
    )


def sizes(folder: Path, installed: Iterable[Distribution]) -> dict[str, int]:
    """Bytes of each distribution as they lie in ``folder``, the largest first."""
    found = {}
    for one in installed:
        paths = (folder / file for file in one.files)
        found[one.name] = sum(path.stat().st_size for path in paths if path.is_file())
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

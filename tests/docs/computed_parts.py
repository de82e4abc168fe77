"""Computed parts of a page: what stands between ``<!-- NAME -->`` and ``<!-- end -->``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PART = re.compile(r"(<!-- (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str, parts: Mapping[str, str]) -> str:
    """``text`` with its parts as computed."""
    return PART.sub(lambda found: f"{found[1]}\n{parts[found['name']]}\n\n{found[3]}", text)


def update(page: Path, parts: Mapping[str, str], *, check: bool) -> int:
    """Write the page, or with ``check`` tell that it is not up to date; the exit status."""
    before = page.read_text(encoding="utf-8")
    after = written(before, parts)
    if after == before:
        return 0
    if check:
        print(f"{page.as_posix()} is not up to date; run: make compile")
        return 1
    page.write_text(after, encoding="utf-8")
    return 0

"""Computed parts of a page: what stands between ``<!-- NAME -->`` and ``<!-- end -->``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PART = re.compile(r"(<!-- (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str, parts: Mapping[str, str]) -> str:
    """``text`` with these parts as computed."""

    def replaced(found: re.Match[str]) -> str:
        name = found["name"]
        return f"{found[1]}\n{parts[name]}\n\n{found[3]}" if name in parts else found[0]

    return PART.sub(replaced, text)


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

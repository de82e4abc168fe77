"""What ``uv.lock`` says of versions: as constraints for a resolution, and as a check of what came out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from infra.packaging.distributions import required
from stepweave.errors import UsageError


def unpinned(constraints: str, wanted: Iterable[str]) -> str:
    """``constraints`` (:func:`infra.packaging.uv.locked`) without those on what ``wanted`` pins by itself."""
    pins = {required(one) for one in wanted if _is_exact(one)}
    return "".join(text for name, text in _blocks(constraints) if name not in pins)


def check_locked(installed: Iterable[str], wanted: Sequence[str], constraints: str) -> None:
    """Raise ``UsageError`` where the lock file says no version of something installed, by its name."""
    pins = {required(one) for one in wanted if _is_exact(one)}
    floating = sorted(set(installed) - pins - {name for name, _ in _blocks(constraints)})
    if floating:
        raise UsageError(
            f"uv.lock says no version of {', '.join(floating)}, so two builds could differ\n"
            f"    needed for: {', '.join(wanted)}\n"
            f"    to fix: add it to the project (`uv add --optional tasks {floating[0]}`), "
            "or write a requirement with =="
        )


def _is_exact(requirement: str) -> bool:
    """Whether it says by itself which file is meant."""
    text = requirement.partition(";")[0]
    return " @ " in text or ("==" in text and "*" not in text)


def _blocks(constraints: str) -> list[tuple[str, str]]:
    """Name and text, hashes included, of each requirement."""
    blocks: list[tuple[str, str]] = []
    for line in constraints.splitlines(keepends=True):
        if line.startswith((" ", "\t")) and blocks:
            blocks[-1] = (blocks[-1][0], blocks[-1][1] + line)
        elif line.strip():
            blocks.append((required(line), line))
    return blocks

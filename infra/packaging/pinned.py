"""`pinned(profile, requirements, root)`: requirements with everything they need, each version with its hashes.

What an image installs while it is built: the folder that it is built from then holds no library, and whoever
synthesizes an app downloads none.
"""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path

from infra.packaging import uv
from infra.packaging.dependencies import key_of
from infra.packaging.distributions import normal, required
from infra.packaging.kept import make
from infra.packaging.lock import check_locked, unpinned
from infra.packaging.profile import Profile

_NAME = "requirements.txt"


def pinned(profile: Profile, requirements: Iterable[str], root: Path, cache: Path) -> str:
    """The lines of a ``requirements.txt`` for ``pip install --require-hashes``; empty for no requirements.

    Raises ``UsageError`` with what uv says, or with what the lock file lacks.
    """
    wanted = sorted(set(requirements))
    if not wanted:
        return ""
    constraints = uv.locked(root)

    def build(new: Path) -> None:
        (new / _NAME).write_text(_compiled(new, profile, wanted, constraints, root), encoding="utf-8")

    folder = make(cache / "pinned" / key_of(profile, wanted, constraints), build)
    return (folder / _NAME).read_text(encoding="utf-8")


def _compiled(new: Path, profile: Profile, wanted: list[str], constraints: str, root: Path) -> str:
    asked, constraint = new / "asked.txt", new / "constraints.txt"
    asked.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    constraint.write_text(unpinned(constraints, wanted), encoding="utf-8")
    # The Python that runs resolves for another: uv need not look for that one on this machine.
    where = ["--python", sys.executable, *profile.for_uv, "--constraint", str(constraint)]
    how = ["--quiet", "--generate-hashes", "--no-header", "--no-annotate"]
    doing = f"resolving {', '.join(wanted)} for {profile.described}"
    lines = uv.run(["pip", "compile", *where, *how, str(asked)], root, doing)
    check_locked([required(line) for line in lines.splitlines() if line[:1].isalnum()], wanted, constraints)
    return lines


def importable(lines: str) -> frozenset[str]:
    """Top-level modules that the distributions in ``lines`` bring, as far as this environment has them."""
    names = {required(line) for line in lines.splitlines() if line[:1].isalnum()}
    return frozenset(top for top, brought in _known().items() if names & brought)


def known() -> frozenset[str]:
    """Top-level modules of which this environment can tell who brings them."""
    return frozenset(_known())


@functools.lru_cache(maxsize=1)
def _known() -> dict[str, frozenset[str]]:
    found = importlib.metadata.packages_distributions()
    return {top: frozenset(map(normal, names)) for top, names in found.items()}

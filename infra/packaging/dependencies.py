"""`dependencies(profile, requirements, root)`: wheels for a platform, unpacked, pruned, and kept for the next bundle.

A set of dependencies is kept under a digest of everything that decides about it: requirements, lock file, platform.
What a bundle's own digest depends on is the *content*, so that a new line in the lock file deploys nothing by itself.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.packaging import uv
from infra.packaging.distributions import Distribution, distributions, required, sizes
from infra.packaging.kept import make
from infra.packaging.lock import check_locked, unpinned
from infra.packaging.parts import drop_parts
from infra.packaging.profile import Profile
from infra.packaging.pruning import prune

MOST_SETS = 40
"""Sets that are kept: each takes up to some 100 MB of links to uv's files."""
FORMAT = "4"
"""Raised when the same inputs are to give other bytes."""

PROVIDED = ("boto3", "botocore", "s3transfer")
"""Part of Lambda's runtime: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-included-sdk"""
_ASKS_BUT_TAKES_ANY = {"aws-xray-sdk", "aws-lambda-powertools", *PROVIDED}
"""Work with whichever boto3 the runtime has."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """An unpacked set of distributions."""

    folder: Path
    digest: str
    """Of the paths and bytes in ``folder``."""
    bytes: dict[str, int]
    """By distribution, the largest first."""
    modules: dict[str, list[str]]
    """Files with Python's sources by distribution, sorted paths in ``folder``."""
    requires: dict[str, list[str]]
    """What each distribution may require, by name."""

    @property
    def key(self) -> str:
        """Of everything that decided about it."""
        return self.folder.parent.name

    def reached(self, requirements: Iterable[str]) -> frozenset[str]:
        """Names of the distributions that ``requirements`` bring, directly or not."""
        found: set[str] = set()
        waiting = [required(one) for one in requirements]
        while waiting:
            name = waiting.pop()
            if name in self.requires and name not in found:
                found.add(name)
                waiting.extend(self.requires[name])
        return frozenset(found)


def dependencies(
    profile: Profile, requirements: Iterable[str], root: Path, cache: Path, used: Sequence[str] = ()
) -> Dependencies:
    """The set for ``requirements``, with those of :data:`infra.packaging.parts.PARTS` that are ``used``.

    Raises ``UsageError`` with what uv says, or with what the lock file lacks.
    """
    wanted = sorted(set(requirements))
    constraints = uv.locked(root) if wanted else ""
    key = key_of(profile, wanted, constraints, used)

    def build(new: Path) -> None:
        _install(new, profile, wanted, constraints, root)
        _finish(new, profile, wanted, used)

    folder = make(cache / "dependencies" / key, build, most=MOST_SETS)
    told = json.loads((folder / "contents.json").read_text(encoding="utf-8"))
    return Dependencies(folder / "files", **told)


def key_of(profile: Profile, wanted: Sequence[str], constraints: str, used: Sequence[str] = ()) -> str:
    """A digest of everything that decides about what is installed."""
    parts: dict[str, object] = {
        **asdict(profile),
        "requirements": wanted,
        "constraints": constraints,
        "used": used,
        "format": FORMAT,
    }
    if profile.local:
        parts["python"] = [sys.version, sys.platform]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _install(new: Path, profile: Profile, wanted: Sequence[str], constraints: str, root: Path) -> None:
    files = new / "files"
    files.mkdir()
    if wanted:
        _unpack(files, profile, wanted, constraints, root)
    check_locked([one.name for one in distributions(files)], wanted, constraints)


def _finish(new: Path, profile: Profile, wanted: Sequence[str], used: Sequence[str]) -> None:
    """Take out what is not needed, and note what remains."""
    files = new / "files"
    installed = distributions(files)
    kept = _without_provided(files, installed, wanted) if profile.kind == "lambda" else installed
    prune(files, compiler=profile.kind == "batch")
    if profile.kind == "lambda":
        drop_parts(files, used)
    told = {
        "digest": digest_of(files),
        "bytes": sizes(files, kept),
        "modules": {one.name: _modules(files, one) for one in kept},
        "requires": {one.name: sorted(set(one.requires)) for one in kept},
    }
    (new / "contents.json").write_text(json.dumps(told), encoding="utf-8")


def _unpack(files: Path, profile: Profile, wanted: Sequence[str], constraints: str, root: Path) -> None:
    constraint = files.parent / "constraints.txt"
    constraint.write_text(unpinned(constraints, wanted), encoding="utf-8")
    there = ["--python", sys.executable] if profile.local else profile.for_uv
    # Where the disk can, these are links to uv's own files: what is pruned is unlinked, nothing is written into.
    how = ["--quiet", "--target", str(files), "--constraint", str(constraint)]
    doing = f"installing {', '.join(wanted)} for {profile.described}"
    uv.run(["pip", "install", *how, *there, *wanted], root, doing)
    constraint.unlink()


def _without_provided(
    files: Path, installed: Sequence[Distribution], wanted: Sequence[str]
) -> tuple[Distribution, ...]:
    """The distributions without those that Lambda brings, unless somebody asks for them by name."""
    named = {required(one) for one in wanted}
    needing = {name for one in installed if one.name not in _ASKS_BUT_TAKES_ANY for name in one.requires}
    gone = [one for one in installed if one.name in PROVIDED and one.name not in named]
    if needing & set(PROVIDED) or len(gone) < sum(one.name in PROVIDED for one in installed):
        return tuple(installed)
    for one in gone:
        for top in {Path(file).parts[0] for file in one.files} - {"..", "bin"}:
            shutil.rmtree(files / top, ignore_errors=True)
    return tuple(one for one in installed if one not in gone)


def _modules(files: Path, distribution: Distribution) -> list[str]:
    return sorted(one for one in distribution.files if one.endswith(".py") and (files / one).is_file())


def digest_of(folder: Path) -> str:
    """A digest of the paths and bytes of all files in a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda one: one.relative_to(folder).as_posix()):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()

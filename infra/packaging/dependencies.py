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
from infra.packaging.parts import drop_parts
from infra.packaging.profile import Profile
from infra.packaging.pruning import prune
from stepweave.errors import UsageError

FORMAT = "3"
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


def dependencies(
    profile: Profile, requirements: Iterable[str], root: Path, cache: Path, used: Sequence[str] = ()
) -> Dependencies:
    """The set for ``requirements``, with those of :data:`infra.packaging.parts.PARTS` that are ``used``.

    Raises ``UsageError`` with what uv says, or with what the lock file lacks.
    """
    wanted = sorted(set(requirements))
    constraints = uv.locked(root) if wanted else ""
    key = _key(profile, wanted, constraints, used)

    def build(new: Path) -> None:
        _install(new, profile, wanted, constraints, root)
        _finish(new, profile, wanted, used)

    folder = make(cache / "dependencies" / key, build)
    told = json.loads((folder / "contents.json").read_text(encoding="utf-8"))
    return Dependencies(folder / "files", told["digest"], told["bytes"])


def _key(profile: Profile, wanted: Sequence[str], constraints: str, used: Sequence[str]) -> str:
    parts = {
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
    _check_locked(distributions(files), wanted, constraints)


def _finish(new: Path, profile: Profile, wanted: Sequence[str], used: Sequence[str]) -> None:
    """Take out what is not needed, and note what remains."""
    files = new / "files"
    installed = distributions(files)
    kept = _without_provided(files, installed, wanted) if profile.kind == "lambda" else installed
    prune(files, compiler=profile.kind == "batch")
    if profile.kind == "lambda":
        drop_parts(files, used)
    told = {"digest": digest_of(files), "bytes": sizes(files, kept)}
    (new / "contents.json").write_text(json.dumps(told), encoding="utf-8")


def _unpack(files: Path, profile: Profile, wanted: Sequence[str], constraints: str, root: Path) -> None:
    pins = {required(one) for one in wanted if _is_exact(one)}
    lines = _requirement_blocks(constraints)
    constraint = files.parent / "constraints.txt"
    constraint.write_text("".join(text for name, text in lines if name not in pins), encoding="utf-8")
    there = (
        ["--python", sys.executable]
        if profile.local
        else [
            "--python-version",
            profile.python,
            "--python-platform",
            profile.wheels,
            "--only-binary",
            ":all:",
        ]
    )
    # Where the disk can, these are links to uv's own files: what is pruned is unlinked, nothing is written into.
    how = ["--quiet", "--target", str(files), "--constraint", str(constraint)]
    uv.run(
        ["pip", "install", *how, *there, *wanted],
        root,
        f"installing {', '.join(wanted)} for {_named(profile)}",
    )
    constraint.unlink()


def _named(profile: Profile) -> str:
    return f"Python {profile.python} on " + (
        "this machine" if profile.local else f"Linux, {profile.architecture}"
    )


def _is_exact(requirement: str) -> bool:
    """Whether it says by itself which file is meant."""
    text = requirement.partition(";")[0]
    return " @ " in text or ("==" in text and "*" not in text)


def _requirement_blocks(constraints: str) -> list[tuple[str, str]]:
    """Name and text, hashes included, of each requirement."""
    blocks: list[tuple[str, str]] = []
    for line in constraints.splitlines(keepends=True):
        if line.startswith((" ", "\t")) and blocks:
            blocks[-1] = (blocks[-1][0], blocks[-1][1] + line)
        elif line.strip():
            blocks.append((required(line), line))
    return blocks


def _check_locked(installed: Sequence[Distribution], wanted: Sequence[str], constraints: str) -> None:
    known = {name for name, _ in _requirement_blocks(constraints)} | {
        required(one) for one in wanted if _is_exact(one)
    }
    floating = [f"{one.name} {one.version}" for one in installed if one.name not in known]
    if floating:
        name = floating[0].split()[0]
        raise UsageError(
            f"uv.lock says no version of {', '.join(floating)}, so two builds could differ\n"
            f"    needed for: {', '.join(wanted)}\n"
            f"    to fix: add it to the project (`uv add --optional tasks {name}`), or write a requirement with =="
        )


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
        for top in {Path(file).parts[0] for file in one.files}:
            shutil.rmtree(files / top, ignore_errors=True)
    return tuple(one for one in installed if one not in gone)


def digest_of(folder: Path) -> str:
    """A digest of the paths and bytes of all files in a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda one: one.relative_to(folder).as_posix()):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()

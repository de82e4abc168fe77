"""Which code ran: the digest of a task's module and the git commit around it."""

from __future__ import annotations

import functools
import hashlib
import os
import sys

GIT_COMMIT_VARIABLE = "STEPWEAVE_GIT_COMMIT"
"""Set where the code is deployed without its ``.git`` folder."""


@functools.lru_cache(maxsize=4096)
def code_version(module_name: str) -> dict[str, str]:
    """``{"digest"?, "git"?}`` of the module: SHA-256 of its source, and the commit; read once per process."""
    file = getattr(sys.modules.get(module_name), "__file__", None)
    version: dict[str, str] = {}
    if file is not None:
        try:
            with open(file, "rb") as source:
                version["digest"] = hashlib.sha256(source.read()).hexdigest()
        except OSError:
            pass  # a module inside a zip has no file of its own; the commit still says which code it was
    commit = os.environ.get(GIT_COMMIT_VARIABLE) or _commit_around(os.path.dirname(file or ""))
    if commit:
        version["git"] = commit
    return version


@functools.lru_cache(maxsize=256)
def _commit_around(folder: str) -> str | None:
    """The commit that is checked out around ``folder``, read from git's files (a process would cost 5 ms)."""
    while folder:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return _head(git, git)
        if os.path.isfile(git):  # a worktree: https://git-scm.com/docs/gitrepository-layout
            own = os.path.join(folder, _text(git).removeprefix("gitdir: "))
            return _head(own, os.path.join(own, _text(os.path.join(own, "commondir"))))
        parent = os.path.dirname(folder)
        folder = parent if parent != folder else ""
    return None


def _head(own: str, common: str) -> str | None:
    head = _text(os.path.join(own, "HEAD"))
    if not head.startswith("ref: "):
        return head or None
    name = head.removeprefix("ref: ")
    commit = _text(os.path.join(common, name))
    if commit:
        return commit
    packed = _text(os.path.join(common, "packed-refs"))
    return next((line.split(" ")[0] for line in packed.splitlines() if line.endswith(f" {name}")), None)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""

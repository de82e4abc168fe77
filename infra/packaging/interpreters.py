"""`interpreter_for(profile)`: a Python on this machine that writes the bytecode of the Python where a bundle will run.

Bytecode is the same on every processor and system; it differs between minor versions.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from dataclasses import dataclass

from infra.packaging import uv
from infra.packaging.profile import Profile

_THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
_TELL = "import sys; print(sys.implementation.cache_tag)"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that compiles."""

    executable: str
    tag: str
    """In the names of its files: ``cpython-313``."""


def interpreter_for(profile: Profile) -> Interpreter | None:
    """This process's Python where its version is the profile's, else one that uv finds.

    None where there is none; standard error then says, once, what that costs.
    """
    return _of_version(profile.python)


@functools.lru_cache(maxsize=8)
def _of_version(version: str) -> Interpreter | None:
    tag = f"cpython-{version.replace('.', '')}"
    if (version, tag) == (_THIS, sys.implementation.cache_tag):
        return Interpreter(sys.executable, tag)
    found = uv.find_python(f"cpython@{version}")
    if found is None or _tag_of(found) != tag:
        sys.stderr.write(_without(version))
        return None
    return Interpreter(found, tag)


def _tag_of(executable: str) -> str:
    done = subprocess.run([executable, "-I", "-c", _TELL], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _without(version: str) -> str:
    return (
        f"the functions are packed without bytecode: there is no Python {version}, in which they run, on this machine\n"
        "    it matters: Lambda compiles all that they import at every cold start, up to some seconds with large "
        "libraries\n"
        f"    to fix:     uv python install {version}\n"
    )

"""The server's virtual environment: made once by uv from pinned requirements, made anew when they change."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from stepweave.errors import UsageError
from stepweave.local_aws.home import Home, locked

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_STAMP = "stepweave-requirements"


def prepare(home: Home) -> bool:
    """Make the virtual environment unless it is there; whether it had to be made. Raises ``UsageError``."""
    wanted = _digest()
    stamp = home.venv / _STAMP
    if _is(stamp, wanted):
        return False
    home.venv.parent.mkdir(parents=True, exist_ok=True)
    with locked(home.venv.parent / "venv.lock", wait=True):
        if not _is(stamp, wanted):  # another process may have made it meanwhile
            uv = _uv()
            _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home.venv))
            _run(
                uv, "pip", "install", "--quiet", "--python", str(home.python), "--require-hashes",
                "--requirements", str(REQUIREMENTS),
            )  # fmt: skip
            stamp.write_text(wanted, encoding="utf-8")
    return True


def _digest() -> str:
    # The interpreter belongs to it: functions and jobs are built for this machine's Python and run in the server's.
    return hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()


def _is(stamp: Path, wanted: str) -> bool:
    try:
        return stamp.read_text(encoding="utf-8") == wanted
    except OSError:
        return False


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise UsageError(
            "the local AWS needs uv to make its virtual environment, and there is no `uv` on the PATH; "
            "install it (https://docs.astral.sh/uv/) and try again"
        )
    return uv


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(
            f"the virtual environment of the local AWS could not be made.\n{' '.join(command)}\n{done.stderr.strip()}\n"
            "It needs a package index (PyPI or a mirror that uv is set up for)."
        )

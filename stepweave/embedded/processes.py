"""Which process runs a run, and is it still there?

A process id alone does not tell: ids are used again. Id and start time together do.
"""

from __future__ import annotations

import os
import subprocess
from datetime import datetime
from pathlib import Path

TOLERANCE_SECONDS = 2.0
"""The start time is derived from two clocks that are read in whole seconds."""


def started_at(pid: int) -> float | None:
    """When process ``pid`` started, in seconds since the epoch; None when there is no such process."""
    if Path("/proc/self/stat").exists():
        return _from_proc(pid)
    return _from_ps(pid)


def is_alive(pid: int | None, pid_started_at: float | None) -> bool:
    """True when the process that had ``pid`` and started at ``pid_started_at`` is still there."""
    if pid is None or pid_started_at is None:
        return False
    found = started_at(pid)
    return found is not None and abs(found - pid_started_at) <= TOLERANCE_SECONDS


def _from_proc(pid: int) -> float | None:
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the fields after the name, which may hold anything.
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    except (OSError, StopIteration):
        return None
    if fields[0] == "Z":
        return None  # it has ended; only its parent has not noticed
    return int(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _from_ps(pid: int) -> float | None:
    environment = {**os.environ, "LC_ALL": "C"}
    command = ["ps", "-p", str(pid), "-o", "lstart="]
    found = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    ).stdout.strip()
    return datetime.strptime(found, "%a %b %d %H:%M:%S %Y").timestamp() if found else None

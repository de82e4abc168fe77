"""Runs the command of a job's attempt, ends it when it is told to or when the server is gone, and says how it ended.

    python supervisor.py CONTROL STATUS TIMEOUT_SECONDS MEMORY_MIB COMMAND...

A script of its own, standard library only: it outlives a server that is killed just long enough to kill the job. From
descriptor CONTROL it reads ``t`` (SIGTERM, and SIGKILL after the grace period); its end means that the server is gone.
To descriptor STATUS it writes one line of JSON: ``{"exit": 0, "why": "exited"}``. 0 for timeout or memory: no limit.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 30.0
"""Between SIGTERM and SIGKILL: https://docs.aws.amazon.com/batch/latest/APIReference/API_TerminateJob.html"""
LOOK_SECONDS = 0.25


def main(control: int, status: int, timeout_seconds: float, memory_mib: int, command: list[str]) -> None:
    """Run the command to its end."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"CannotStartContainerError: {command[0]}: {error.strerror}\n")
        _say(status, None, "unstarted")
        return
    why = _watch(process, control, timeout_seconds, memory_mib)
    _kill(process.pid, signal.SIGKILL)  # what the command left running
    _say(status, _code(process.wait()), why)


def _watch(process: subprocess.Popen[bytes], control: int, timeout_seconds: float, memory_mib: int) -> str:
    """Why it ended: ``exited``, ``terminated``, ``timeout`` or ``memory``."""
    started, why, kill_at = time.monotonic(), "exited", float("inf")
    listening = [control]
    wait = 0.01
    while process.poll() is None:
        now = time.monotonic()
        ready, _, _ = select.select(listening, [], [], wait)
        wait = min(LOOK_SECONDS, wait * 2)
        if ready:
            word = os.read(control, 1)
            listening = [] if not word else listening
            why, kill_at = "terminated", (now + GRACE_SECONDS if word else now)
            _kill(process.pid, signal.SIGTERM)
        elif timeout_seconds and now - started > timeout_seconds and why == "exited":
            why, kill_at = "timeout", now + GRACE_SECONDS
            _kill(process.pid, signal.SIGTERM)
        elif memory_mib and _resident_mib(process.pid) > memory_mib:
            why, kill_at = "memory", now
        if now >= kill_at:
            _kill(process.pid, signal.SIGKILL)
    return why


def _say(status: int, code: int | None, why: str) -> None:
    os.write(status, json.dumps({"exit": code, "why": why}).encode() + b"\n")


def _code(returned: int) -> int:
    """The exit code as a container has it: 128 and the number of the signal."""
    return returned if returned >= 0 else 128 - returned


def _kill(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _resident_mib(session: int) -> int:
    """Memory of all processes of a session; 0 where the kernel has no ``/proc``."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (
                (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            )
            # Fields 6 (session) and 24 (resident pages) of proc_pid_stat(5); the first two are cut off.
            if int(fields[3]) == session:
                pages += int(fields[21])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])

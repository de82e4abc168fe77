"""`Peaks`: the most memory that a process and its children had, by looking often (Linux)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.reporting import rounded

_PROC = Path("/proc")
_KIB_PER_MIB = 1024


class Peaks:
    """Peak memory of the process ``pid`` and its descendants, in KiB."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._of_each: dict[int, int] = {}
        """High-water mark of each process, which the kernel keeps: the last look before its end is enough."""
        self._tree = 0

    def look(self) -> None:
        """Take note of what there is now."""
        now = 0
        for pid in self._processes():
            status = _read(_PROC / str(pid) / "status")
            self._of_each[pid] = max(self._of_each.get(pid, 0), _kib(status, "VmHWM"))
            # What processes share counts once: the private part of each, and the share of the rest.
            now += _kib(_read(_PROC / str(pid) / "smaps_rollup"), "Pss")
        self._tree = max(self._tree, now)

    def to_json(self) -> dict[str, float] | None:
        """MiB; None where nothing could be seen."""
        if not self._of_each.get(self._pid):
            return None
        return {
            "process": rounded(self._of_each[self._pid] / _KIB_PER_MIB),
            "largest_process": rounded(max(self._of_each.values()) / _KIB_PER_MIB),
            "all_processes": rounded(self._tree / _KIB_PER_MIB),
        }

    def _processes(self) -> Iterator[int]:
        pending = [self._pid]
        while pending:
            pid = pending.pop()
            yield pid
            for task in (_PROC / str(pid) / "task").glob("*/children"):
                pending += map(int, _read(task).split())


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has just ended
        return ""


def _kib(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, flags=re.MULTILINE)
    return int(found[1]) if found else 0

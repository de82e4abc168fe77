"""`Backfill`: one run per logical date, each in a process of its own, several at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import FrameType
from typing import Any, Literal

from stepweave.cli.backfilling.dates import run_id_of
from stepweave.cli.found import status_now
from stepweave.stores.records import Records, RunRow

Way = Literal["run", "resume", "skip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedRun:
    """The run for one logical date."""

    date: str
    """The logical date as ISO 8601 text in UTC."""
    run_id: str
    way: Way
    """Skip: it has succeeded before, or is going on."""
    status: str | None = None
    """None until it has ended, or when it was not begun."""
    wall_seconds: float | None = None
    error: str = ""

    def to_json(self) -> dict[str, object]:
        """What ``--json`` prints."""
        return {
            "logical_date": self.date,
            "run_id": self.run_id,
            "status": self.status,
            "skipped": self.way == "skip",
            "wall_seconds": self.wall_seconds,
            "error": self.error or None,
        }


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run that there is already."""

    run_id: str
    status: str
    wall_seconds: float | None


Find = Callable[[str], Earlier | None]
"""The run of an id, if there is one."""


def planned(find: Find, dag_id: str, moments: Sequence[datetime], *, rerun: bool) -> list[DatedRun]:
    """What is to be done for each date: what has succeeded is skipped, what failed goes on, unless all is run again."""
    return [_planned(find, dag_id, moment, rerun) for moment in moments]


def found_in(records: Records) -> Find:
    """Finds runs on this machine."""

    def find(run_id: str) -> Earlier | None:
        row = records.run(run_id)
        return Earlier(run_id, status_now(row), _wall(row)) if row is not None else None

    return find


def _planned(find: Find, dag_id: str, moment: datetime, rerun: bool) -> DatedRun:
    number, earlier = 1, find(run_id_of(dag_id, moment))
    latest = earlier
    while earlier is not None:
        latest, number = earlier, number + 1
        earlier = find(run_id_of(dag_id, moment, number))
    fresh = DatedRun(date=moment.isoformat(), run_id=run_id_of(dag_id, moment, number), way="run")
    if latest is None:
        return fresh
    status = latest.status
    if status in ("running", "queued") or (status == "success" and not rerun):
        return replace(
            fresh, run_id=latest.run_id, way="skip", status=status, wall_seconds=latest.wall_seconds
        )
    return fresh if rerun else replace(fresh, run_id=latest.run_id, way="resume")


def _wall(row: RunRow) -> float | None:
    return row.ended_at - row.started_at if row.ended_at is not None and row.started_at is not None else None


@dataclass(slots=True, kw_only=True)
class Backfill:
    """Carries out planned runs."""

    target: str
    params: Mapping[str, Any]
    store: str
    concurrency: int
    workers: int | None
    told: Callable[[DatedRun], None]
    """Called with each run that has ended, in this thread or another, one at a time."""
    _children: set[subprocess.Popen[str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def run(self, runs: Sequence[DatedRun]) -> list[DatedRun]:
        """``runs``, ended, in the same order; those that were not begun before a signal have no status."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with tempfile.TemporaryDirectory() as folder:
                file = os.path.join(folder, "params.json")
                with open(file, "w", encoding="utf-8") as out:
                    json.dump(self.params, out)
                with ThreadPoolExecutor(self.concurrency) as pool:
                    return list(pool.map(lambda run: self._one(run, file), runs))
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _one(self, run: DatedRun, params: str) -> DatedRun:
        if run.way == "skip" or self._stopped:
            return run
        began = time.monotonic()
        child = self._start(run, params)
        if child is None:
            return run
        output, errors = child.communicate()
        with self._lock:
            self._children.discard(child)
            ended = _ended(run, output, errors, time.monotonic() - began)
            self.told(ended)
        return ended

    def _start(self, run: DatedRun, params: str) -> subprocess.Popen[str] | None:
        """The process of a run; None when there was a signal meanwhile."""
        # Sessions of their own: a Ctrl-C comes to this process alone, which passes it on, to each run once.
        with self._lock:
            if self._stopped:
                return None
            child = subprocess.Popen(
                self._command(run, params),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._children.add(child)
            return child

    def _command(self, run: DatedRun, params: str) -> list[str]:
        command = [sys.executable, "-m", "stepweave"]
        if run.way == "resume":
            command += ["resume", run.run_id]
        else:
            command += ["run", self.target, "--run-id", run.run_id, "--logical-date", run.date]
            command += ["--params", params]
        command += ["--store", self.store, "--json", "--no-input"]
        return command + (["--workers", str(self.workers)] if self.workers is not None else [])

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Begin no more runs, and pass the signal on: the first cancels the runs, the second ends them at once."""
        self._stopped = True
        for child in list(self._children):
            child.send_signal(number)


def _ended(run: DatedRun, output: str, errors: str, seconds: float) -> DatedRun:
    try:
        answer = json.loads(output)
    except ValueError:
        answer = {}
    error = answer.get("error", {})
    message = error.get("message", "") if isinstance(error, dict) else ""
    if "status" not in answer and not message:
        message = errors.strip().rpartition("\n")[2]
    status = answer.get("status", "failed")
    return replace(run, status=status, wall_seconds=answer.get("wall_seconds", seconds), error=message)

"""`Recorder`: writes the task runs of one run to the records, as they change."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict

from stepweave.embedded.places import Place
from stepweave.embedded.recorded import task_run_of
from stepweave.embedded.scopes import awaited_by
from stepweave.embedded.taskruns import TaskRun
from stepweave.stores.record_writer import RecordWriter
from stepweave.stores.records import Records

MAX_MESSAGE_CHARACTERS = 2000
"""Of an error's message; the log has all of it."""

MAP_SECONDS = 0.2
"""How often the counts of a map are recorded while it goes on."""

_PLAIN_RECORD = json.dumps({"status": "success"})


class Recorder:
    """An observer of task runs."""

    def __init__(self, writer: RecordWriter, places: Mapping[str, Place], run_id: str) -> None:
        self._writer = writer
        self._places = places
        self._run_id = run_id
        self._bad: set[tuple[str, str]] = set()
        """Task runs that did not succeed, for the ``by`` of those that depend on them."""
        self._next: dict[tuple[str, str], float] = {}
        """When each map is recorded again."""

    def __call__(self, run: TaskRun) -> None:
        """Note a change; a thread of the writer puts it on disk within a twentieth of a second."""
        if run.status is None or (run.items is not None and not self._is_due(run)):
            return
        if run.has_ended and run.status != "success":
            self._bad.add((run.task, run.index))
        self._writer.update_task(
            self._run_id,
            run.task,
            run.index,
            label=run.label or None,
            status=run.status,
            attempts=run.attempts,
            scheduled_at=run.ready,
            started_at=run.first_started,
            ended_at=run.ended,
            duration_seconds=run.duration_seconds if run.ended is not None else None,
            queued_seconds=run.waited_seconds,
            error_type=run.error or None,
            error_message=run.message[:MAX_MESSAGE_CHARACTERS] or None,
            record=_record(run),
            by=self._by(run),
            detail=_detail(run),
        )

    def _is_due(self, run: TaskRun) -> bool:
        """Whether a map, which changes with each of its items, is to be recorded now."""
        if run.has_ended:
            return True
        now = time.monotonic()
        if now < self._next.get((run.task, run.index), 0.0):
            return False
        self._next[run.task, run.index] = now + MAP_SECONDS
        return True

    def _by(self, run: TaskRun) -> str | None:
        if run.status not in ("upstream_failed", "skipped") or run.attempts:
            return None
        place = self._places[run.task]
        causes = awaited_by(place.task, place.graph)
        return ",".join(task for task in causes if (task, run.index) in self._bad) or None


def went_on_until_killed(records: Records, writer: RecordWriter, run_id: str) -> list[TaskRun]:
    """The task runs of a run whose process was killed; those that went on then have failed, and are recorded so."""
    found = [task_run_of(row) for row in records.task_runs(run_id)]
    for run in found:
        if not run.has_ended:
            run.status, run.error, run.message = "failed", "Cancelled", "the process of the run ended"
            run.ended = time.time()
            changes = {"status": run.status, "error_type": run.error, "error_message": run.message}
            writer.update_task(run_id, run.task, run.index, ended_at=run.ended, **changes)
    return found


def _record(run: TaskRun) -> str | None:
    if run.status != "success":
        return None
    if run.value is not None:
        return json.dumps({"status": "success", "value": run.value})
    if run.ref is not None:
        return json.dumps({"status": "success", "ref": run.ref})
    return _PLAIN_RECORD


def _detail(run: TaskRun) -> str | None:
    """What else is known of a task run, as JSON text; None for nothing."""
    detail: dict[str, object] = {}
    if run.items is not None:
        detail["items"] = asdict(run.items)
    if run.chosen is not None:
        detail["chosen"] = run.chosen
    if run.level:
        detail["level"] = run.level
    if run.undone:
        detail["undone"] = run.undone
    if run.reused:
        detail["reused"] = True
    return json.dumps(detail) if detail else None

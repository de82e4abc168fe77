"""`Recorder`: writes the task runs of one run to the records, as they change."""

from __future__ import annotations

import json

from stepweave.embedded.taskruns import TaskRun
from stepweave.graph.model import Graph
from stepweave.stores.record_writer import RecordWriter

MAX_MESSAGE_CHARACTERS = 2000
"""Of an error's message; the log has all of it."""


class Recorder:
    """An observer of task runs."""

    def __init__(self, writer: RecordWriter, graph: Graph, run_id: str) -> None:
        self._writer = writer
        self._graph = graph
        self._run_id = run_id
        self._bad: dict[str, str] = {}
        """Tasks that did not succeed, for the ``by`` of those that depend on them."""

    def __call__(self, run: TaskRun) -> None:
        """Note a change; a thread of the writer puts it on disk within a twentieth of a second."""
        if run.status is None:
            return
        if run.has_ended and run.status != "success":
            self._bad[run.task] = run.status
        self._writer.update_task(
            self._run_id,
            run.task,
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
        )

    def _by(self, run: TaskRun) -> str | None:
        if run.status not in ("upstream_failed", "skipped") or run.attempts:
            return None
        return ",".join(task for task in self._graph[run.task].upstream if task in self._bad) or None


def _record(run: TaskRun) -> str | None:
    if run.status != "success":
        return None
    record: dict[str, str] = {"status": "success"}
    if run.value is not None:
        record["value"] = run.value
    elif run.ref is not None:
        record["ref"] = run.ref
    return json.dumps(record)

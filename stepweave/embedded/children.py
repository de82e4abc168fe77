"""`Children`: the records of the runs that tasks of a run are: each a run of its own, with its parent's id."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from stepweave.embedded.flows import Flow
from stepweave.embedded.live_run import LiveRun
from stepweave.embedded.places import every_task
from stepweave.embedded.processes import started_at
from stepweave.embedded.recording import Recorder
from stepweave.engine.events import Event
from stepweave.runtime.run_markers import write_marker
from stepweave.stores.objects import ObjectStore
from stepweave.stores.record_writer import RecordWriter
from stepweave.stores.records import RunRow


class Children:
    """Records the runs of DAGs inside a run."""

    def __init__(self, writer: RecordWriter, store: ObjectStore) -> None:
        self._writer, self._store = writer, store
        self._dates: dict[str, str | None] = {}

    def began(
        self, flow: Flow, run_id: str, given: Mapping[str, Any], live: Mapping[str, LiveRun]
    ) -> Recorder:
        """Record a run that begins with the input ``given`` beside the runs ``live``; what records its tasks."""
        now = time.time()
        self._dates[run_id] = given.get("logical_date")
        self._writer.start_run(
            RunRow(
                run_id=run_id,
                dag_id=flow.dag_id,
                params=json.dumps(given.get("params") or {}, ensure_ascii=False),
                status="running",
                logical_date=given.get("logical_date"),
                queued_at=now,
                started_at=now,
                pid=os.getpid(),
                pid_started_at=started_at(os.getpid()),
                machines=flow.compiled.report.machines,
                tasks=json.dumps([task.id for task in every_task(flow.graph)]),
                parent=parent_of(run_id, live),
            )
        )
        return Recorder(self._writer, flow.places, run_id)

    def ended(self, live: LiveRun, event: Event) -> None:
        """Record the end of a run."""
        status = {"SUCCEEDED": "success", "ABORTED": "cancelled"}.get(event.status or "", "failed")
        error = ": ".join(part for part in (event.error, event.cause) if part) or None
        self._writer.update_run(
            live.run_id, dag_id=live.flow.dag_id, status=status, ended_at=time.time(), error=error
        )
        date = self._dates.get(live.run_id)
        write_marker(self._store, live.flow.dag_id, live.run_id, status, logical_date=date)

    def cancelled(self, live: LiveRun) -> None:
        """Record that a run was stopped, and cleaned up after."""
        self._writer.update_run(
            live.run_id, dag_id=live.flow.dag_id, status="cancelled", ended_at=time.time()
        )


def parent_of(run_id: str, live: Mapping[str, LiveRun]) -> str | None:
    """The run whose task the run ``run_id`` is: its id is the beginning (``<run>.<node>``), the longest that fits."""
    return max((other for other in live if run_id.startswith(f"{other}.")), key=len, default=None)

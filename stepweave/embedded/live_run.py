"""`LiveRun`: one run of one DAG while it goes on, and `LiveRuns`: that of a DAG and those that run inside it.

events of the engine ─▶ LiveRuns ─▶ Watcher of the run ─▶ TaskRuns ─▶ observers (records, screen)
                                                             └─▶ Propagation ─▶ tasks that will not run
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepweave.embedded.flows import Flow
from stepweave.embedded.labels import Labels
from stepweave.embedded.propagation import Propagation
from stepweave.embedded.summing import sum_up
from stepweave.embedded.taskruns import Observer, TaskRuns
from stepweave.embedded.watching import JobFailure, Watcher
from stepweave.engine.events import Event
from stepweave.stores.objects import ObjectStore


class LiveRun:
    """One run while it goes on."""

    def __init__(
        self,
        flow: Flow,
        run_id: str,
        *,
        jobs: Mapping[str, str],
        job_failure: JobFailure,
        observers: Sequence[Observer],
        store: ObjectStore,
        is_inside: bool = False,
    ) -> None:
        """``jobs``: task of each job definition; ``job_failure``: what a task's latest job left behind.

        ``is_inside``: the run is a task of another one.
        """
        self.flow, self.run_id = flow, run_id
        self.propagation = Propagation(flow.graph)
        inside = (flow.dag_id, run_id) if is_inside else None
        self.runs = TaskRuns(flow.places, [*observers, self.propagation], inside=inside)
        self.runs.label_of = Labels(flow.places, store, flow.dag_id, run_id).of
        self.propagation.connect(self.runs)
        self.watcher = Watcher(
            self.runs,
            flow.places,
            task_of_job_definition=jobs,
            job_failure=job_failure,
            expect=self.propagation.expect,
        )

    def stop(self) -> None:
        """The machine has ended: what was going on has failed."""
        # Of what was cut off, nothing follows for the tasks after it: they may still run when the run is resumed.
        self.propagation.connect(None)
        self.runs.interrupted()

    def end(self) -> None:
        """Nothing more comes: sum up what tasks in bodies came to."""
        self.stop()
        sum_up(self.runs, self.flow.places)


class LiveRuns:
    """A listener of the engine that tells each run what happens in it."""

    def __init__(
        self,
        root: LiveRun,
        dag_of_machine: Mapping[str, str],
        open_run: Callable[[str, Mapping[str, Any]], LiveRun | None],
        ended: Callable[[LiveRun, Event], None],
    ) -> None:
        """``open_run`` makes the run of a DAG (by id) inside another from its input; ``ended`` is told of its end."""
        self._root, self._dag_of_machine = root, dag_of_machine
        self._open_run, self._ended = open_run, ended
        self.by_id: dict[str, LiveRun] = {root.run_id: root}
        self._of_execution: dict[str, LiveRun] = {}

    def __call__(self, event: Event) -> None:
        """Tell the run that ``event`` belongs to."""
        if event.kind == "execution_started":
            live = self._begin(event)
            if live is not None:
                self._of_execution[event.execution] = live
        else:
            live = self._of_execution.get(event.execution)
        if live is None:
            return
        live.watcher(event)
        if event.kind == "execution_ended":
            del self._of_execution[event.execution]
            if live is not self._root and event.machine == live.flow.dag_id:
                live.end()
                self._ended(live, event)

    def runs_of(self, run_id: str) -> TaskRuns:
        """The task runs of a run; those of the root for an id that is not known."""
        return self.by_id.get(run_id, self._root).runs

    def _begin(self, event: Event) -> LiveRun | None:
        """The run that a new execution belongs to: a DAG's own, that of a machine's part, or of a map's item."""
        given = event.data if isinstance(event.data, dict) else {}
        dag = self._dag_of_machine.get(event.machine.partition("/")[0], "")
        if event.machine == dag and dag != self._root.flow.dag_id:
            run_id = str(given.get("run_id", event.execution))
            live = self._open_run(dag, given)
            if live is not None:
                self.by_id[run_id] = live
            return live
        run = given.get("run", given)
        known = str(run.get("id", given.get("run_id"))) if isinstance(run, dict) else ""
        if known in self.by_id:
            return self.by_id[known]
        return next((live for live in reversed(self.by_id.values()) if live.flow.dag_id == dag), self._root)

"""`RunStatuses`: the task runs of a deployed run, derived from its history exactly as those of a run on this machine.

    histories ──▶ engine events ──▶ Watcher ──▶ TaskRuns ──▶ observers (screen)
                                                   └──▶ Propagation ──▶ tasks that will not run

Which task a state works for, which tasks will not run and what a map came to follow from the DAG, so its module has to
be at hand here, and be the one that was deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stepweave.deployed.arns import machine_of
from stepweave.deployed.histories import Histories
from stepweave.deployed.translating import Translator
from stepweave.embedded.jobs import job_failure
from stepweave.embedded.labels import Labels
from stepweave.embedded.open_calls import Line
from stepweave.embedded.places import depth_of, places_of
from stepweave.embedded.propagation import Propagation
from stepweave.embedded.summing import in_order, sum_up
from stepweave.embedded.taskruns import Items, Observer, TaskRun, TaskRuns
from stepweave.embedded.watching import Watcher
from stepweave.engine.events import Event
from stepweave.graph.model import Graph
from stepweave.runtime.committed import find_envelope
from stepweave.stores.layout import segment, task_prefix
from stepweave.stores.objects import ObjectStore


class RunStatuses:
    """The task runs of one run."""

    def __init__(
        self,
        graph: Graph,
        run_id: str,
        histories: Histories,
        *,
        env: str,
        store: ObjectStore,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._graph, self._run_id, self._env, self._store = graph, run_id, env, store
        self._histories = histories
        self._before: list[Histories] = []
        """Those that were read before the one that is read now."""
        self._places = places_of(graph)
        self._propagation = Propagation(graph)
        self._now = 0.0
        self.runs = TaskRuns(self._places, [*observers, self._propagation], now=lambda: self._now)
        self.runs.label_of = Labels(self._places, store, graph.dag.id, run_id).of
        self._propagation.connect(self.runs)
        self._deferred: dict[Line, Callable[[Line], None]] = {}
        self._watcher = Watcher(
            self.runs,
            self._places,
            task_of_job_definition={segment(task): task for task in self._places},
            job_failure=lambda task, index: job_failure(
                store, task_prefix(graph.dag.id, run_id, task, index)
            ),
            expect=self._propagation.expect,
            defer=self._defer,
            starts=True,
        )
        self._translators: dict[str, Translator] = {}

    def look(self) -> None:
        """Read on, to what is known now."""
        for execution, event in self._histories.read():
            self._translator(execution).feed(event)
        for translator in self._translators.values():
            translator.look_over()

    def clean_up(self, histories: Histories) -> None:
        """The execution has broken off, and ``histories`` tells from now on of the one that cleans up after it."""
        # Of what was cut off nothing follows for the tasks after it: they may still run when the run is resumed.
        self._propagation.connect(None)
        self.runs.interrupted()
        self._before.append(self._histories)
        self._histories = histories

    @property
    def has_ended(self) -> bool:
        """Whether the history has told of the end."""
        return self._histories.has_ended

    @property
    def transitions(self) -> int | None:
        """State transitions that the histories tell of; None where not every item of a map was read."""
        counted = [histories.transitions for histories in (*self._before, self._histories)]
        return None if None in counted else sum(filter(None, counted))

    def end(self, *, resumed_at: float | None = None) -> None:
        """Nothing more comes: what was cut off has failed, and tasks in bodies are summed up.

        ``resumed_at``: when the latest execution of a resumed run began; what was committed before was reused.
        """
        self._propagation.connect(None)
        self.runs.interrupted()
        self._sum_up(resumed_at)

    def pause(self, *, resumed_at: float | None = None) -> None:
        """The run goes on, and is shown as it is now."""
        self._propagation.connect(None)
        self._sum_up(resumed_at)

    def tasks(self) -> dict[str, TaskRun]:
        """Every task of the DAG, in the order written."""
        return self.runs.by_id

    def maps(self) -> dict[str, list[TaskRun]]:
        """Items, rounds and runs inside bodies, by task, in the order of their index paths."""
        return {task: in_order(runs.values()) for task, runs in self.runs.mapped.items()}

    def _sum_up(self, resumed_at: float | None) -> None:
        sum_up(self.runs, self._places)
        if resumed_at is None:
            return
        for run in self.runs.every_run():
            place = self._places[run.task]
            if run.status == "success" and run.items is None and place.task.body is None:
                envelope = find_envelope(
                    self._store, task_prefix(self._graph.dag.id, self._run_id, run.task, run.index)
                )
                run.reused = envelope is not None and envelope.started_at < resumed_at

    def _translator(self, execution: str) -> Translator:
        found = self._translators.get(execution)
        if found is None:
            found = self._translators[execution] = Translator(
                execution,
                machine_of(execution),
                self._env,
                self._tell,
                lambda line: self._settle((execution, line)),
            )
        return found

    def _tell(self, event: Event) -> None:
        self._now = max(self._now, event.at)
        self._watcher(event)
        if event.kind == "state_exited" and isinstance(event.data, dict):
            self._count(event.data)

    def _count(self, said: dict[str, Any]) -> None:
        """A map tells how its items ended; not the execution of each is looked at."""
        node, total = said.get("node"), said.get("n")
        if not isinstance(total, int) or node not in self._places or "failed" not in said:
            return
        index = str(said.get("index") or "")
        if depth_of(index) != self._places[node].depth:
            return
        failed, skipped = int(said["failed"]), int(said.get("skipped", 0))
        run = self.runs.at(node, index)
        if run.items is None or run.items.ended < total:
            run.items = Items(total=total, success=total - failed - skipped, failed=failed, skipped=skipped)
            self.runs.changed(node, index)

    def _defer(self, settle: Callable[[Line], None], line: Line) -> None:
        self._deferred[line] = settle

    def _settle(self, line: Line) -> None:
        settle = self._deferred.pop(line, None)
        if settle is not None:
            settle(line)

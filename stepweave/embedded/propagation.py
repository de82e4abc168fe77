"""`Propagation`: tells which tasks will not run, as soon as that is certain.

The state machine does not say so: it goes on where work can continue. What becomes of the others follows from
the trigger rules.
"""

from __future__ import annotations

from collections import deque
from typing import cast

from stepweave.embedded.taskruns import Status, TaskRun, TaskRuns
from stepweave.graph.model import Graph
from stepweave.graph.order import downstream
from stepweave.graph.outcomes import verdict


class Propagation:
    """An observer of the task runs that it completes. Costs a step per edge of the graph, all in all."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._below = downstream(graph)
        self._missing = {task.id: len(task.upstream) for task in graph.tasks}
        self._ended: deque[str] = deque()
        self._working = False
        self._runs: TaskRuns | None = None

    def connect(self, runs: TaskRuns | None) -> None:
        """From now on complete ``runs``; None to stop."""
        self._runs = runs

    def __call__(self, run: TaskRun) -> None:
        """When ``run`` has ended, end what can no longer run."""
        if not run.has_ended or self._runs is None:
            return
        self._ended.append(run.task)
        if self._working:
            return  # called back by what the loop below did; a chain of 10,000 tasks must not become a recursion
        self._working = True
        try:
            while self._ended:
                self._end(self._ended.popleft(), self._runs)
        finally:
            self._working = False

    def _end(self, task: str, runs: TaskRuns) -> None:
        for after in self._below[task]:
            self._missing[after] -= 1
            if self._missing[after] == 0 and runs.by_id[after].status is None:
                found = self._graph[after]
                seen = [str(runs.by_id[up].status) for up in found.upstream]
                status = verdict(found.trigger_rule, seen)
                if status != "run":
                    runs.did_not_run({after: cast(Status, status)})

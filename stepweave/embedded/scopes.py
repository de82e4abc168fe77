"""`Scope`: one run of one graph, the DAG's or a body's: which of its tasks have ended, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from stepweave.embedded.taskruns import Status, TaskRun
from stepweave.graph.constructs import Guard
from stepweave.graph.model import Binding, FromTask, Graph, Task, references
from stepweave.graph.outcomes import FAILURES, verdict_of


class Block:
    """A graph as its runs need it; one for all of them."""

    __slots__ = ("below", "graph", "leaves", "missing", "returned")

    def __init__(self, graph: Graph, result: Binding | None = None) -> None:
        """``result``: what a body returns."""
        self.graph = graph
        awaited = {task.id: awaited_by(task, graph) for task in graph.tasks}
        self.missing = {task: len(before) for task, before in awaited.items()}
        """How many tasks each task waits for."""
        self.below: dict[str, list[Task]] = {task.id: [] for task in graph.tasks}
        for task in graph.tasks:
            for before in awaited[task.id]:
                self.below[before].append(task)
        counted = [task for task in graph.tasks if not task.teardown] or graph.tasks
        inner = {before for task in counted for before in awaited[task.id]}
        self.leaves = [task.id for task in counted if task.id not in inner]
        found = references(result) if result is not None else ()
        self.returned = [one.task for one in found if isinstance(one, FromTask) and one.task in graph]


class Scope:
    """One run of a graph."""

    __slots__ = ("_block", "_chosen", "_missing", "_statuses")

    def __init__(self, block: Block) -> None:
        self._block = block
        self._missing = dict(block.missing)
        self._statuses: dict[str, str] = {}
        self._chosen: dict[str, tuple[str, ...]] = {}

    def end(self, run: TaskRun) -> Iterator[Task]:
        """Note that a task has ended; the tasks that wait for nothing any more because of it."""
        is_new = run.task not in self._statuses
        self._statuses[run.task] = str(run.status)
        if run.chosen is not None:
            self._chosen[run.task] = run.chosen
        if is_new:
            for after in self._block.below[run.task]:
                self._missing[after.id] -= 1
                if self._missing[after.id] == 0:
                    yield after

    def fate(self, task: Task) -> Status | None:
        """What becomes of a task that waits for nothing any more; None when it runs."""
        found = verdict_of(self._block.graph, task, self._statuses, self._chosen)
        return None if found == "run" else cast(Status, found)

    def refusal(self, guard: Guard) -> Status | None:
        """The status that a guard gives its task; None when it lets it pass, or when nothing has been decided yet."""
        status = self._statuses.get(guard.decider)
        if status is None or (status != "success" and not guard.block):
            return None
        if status == "success":
            chosen = self._chosen.get(guard.decider, ())
            return None if set(guard.cases) & set(chosen) else "skipped"
        return "upstream_failed" if status in FAILURES else "skipped"

    def knows(self, task: str) -> bool:
        """Whether the task has ended."""
        return task in self._statuses

    @property
    def has_ended(self) -> bool:
        """Whether every task has."""
        return len(self._statuses) == len(self._block.missing)

    def outcome(self) -> Status:
        """How a body ended: failed if a leaf failed, skipped if what it returns was skipped, else success."""
        last = [self._statuses[leaf] for leaf in self._block.leaves]
        if not FAILURES.isdisjoint(last):
            return "failed"
        deciding = [self._statuses[task] for task in self._block.returned] or last
        skipped = bool(deciding) and all(status == "skipped" for status in deciding)
        return "skipped" if skipped else "success"


def awaited_by(task: Task, graph: Graph) -> tuple[str, ...]:
    """Ids, in ``graph``, of what has to end before it is certain what becomes of ``task``."""
    deciders = [guard.decider for guard in task.guards]
    if task.speculation is not None:
        deciders.append(task.speculation.decider)
    return tuple(dict.fromkeys(one for one in [*task.upstream, *deciders] if one in graph))

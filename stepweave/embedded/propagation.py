"""`Propagation`: tells what becomes of tasks and nodes that no call of a function ends, as soon as that is certain.

The state machine does not say which tasks will not run: it goes on where work can continue. What becomes of them
follows from the trigger rules, and how a map or a body ended from what is in it. What the machine does say counts more.

task ends ─▶ its scope: tasks after it that cannot run ─▶ the scope has ended ─▶ item, round or node ends ─▶ …
"""

from __future__ import annotations

from collections import deque

from stepweave.embedded.places import Place, depth_of, parent_of, places_of, written_items
from stepweave.embedded.scopes import Block, Scope
from stepweave.embedded.summing import drop
from stepweave.embedded.taskruns import Items, Status, TaskRun, TaskRuns
from stepweave.graph.constructs import Guard
from stepweave.graph.model import Graph, Task


class Propagation:
    """An observer of the task runs that it completes. Costs a step per edge of the graph and item, all in all."""

    def __init__(self, graph: Graph) -> None:
        self._places = places_of(graph)
        self._blocks: dict[str | None, Block] = {None: Block(graph)}
        for place in self._places.values():
            if place.task.body is not None:
                self._blocks[place.task.id] = Block(place.task.body.graph, place.task.body.result)
        self._scopes: dict[tuple[str | None, str], Scope] = {}
        self._held: dict[tuple[str, str], Status] = {}
        """How speculations ended of which it is not yet decided whether they count."""
        self._ended: deque[TaskRun] = deque()
        self._working = False
        self._runs: TaskRuns | None = None

    def connect(self, runs: TaskRuns | None) -> None:
        """From now on complete ``runs``; None to stop."""
        self._runs = runs

    def __call__(self, run: TaskRun) -> None:
        """When ``run`` has ended, end what can no longer run; when it is the first of its node, the node goes on."""
        if self._runs is None:
            return
        if not run.has_ended:
            self._begin_around(run, self._runs)
            return
        self._ended.append(run)
        if self._working:
            return  # called back by what the loop below did; a chain of 10,000 tasks must not become a recursion
        self._working = True
        try:
            while self._ended:
                self._end(self._ended.popleft(), self._runs)
        finally:
            self._working = False

    def expect(self, task: str, index: str, total: int) -> None:
        """A mapped task has ``total`` items."""
        if self._runs is None:
            return
        items = self._items_of(task, index, self._runs)
        items.total = total
        self._runs.changed(task, index)
        self._settle(task, index, items, self._runs)

    # What begins.

    def _begin_around(self, run: TaskRun, runs: TaskRuns) -> None:
        """The nodes around a task go on when it does."""
        place = self._places[run.task]
        if depth_of(run.index) > place.depth:
            self._items_of(run.task, parent_of(run.index), runs)
            runs.goes_on(run.task, parent_of(run.index))
        elif place.node is not None:
            runs.goes_on(place.node, run.index)

    def _items_of(self, task: str, index: str, runs: TaskRuns) -> Items:
        run = runs.at(task, index)
        if run.items is None:
            node = self._places[task].task
            total = node.loop.max_rounds if node.loop is not None else written_items(node)
            run.items = Items(total=total, are_rounds=node.loop is not None)
        return run.items

    # What ends.

    def _end(self, run: TaskRun, runs: TaskRuns) -> None:
        place = self._places[run.task]
        if depth_of(run.index) > place.depth:
            self._end_item(place, run, runs)
            return
        if place.task.speculation is not None and run.status in ("skipped", "upstream_failed"):
            self._scopes.pop((run.task, run.index), None)
            drop(place.task, run, runs)
        scope = self._scope(place, run.index)
        for after in scope.end(run):
            self._judge(after, scope, run.index, runs)
        if scope.has_ended and place.node is not None:
            del self._scopes[place.node, run.index]
            self._end_body(self._places[place.node], run.index, scope.outcome(), runs)

    def _scope(self, place: Place, index: str) -> Scope:
        key = (place.node, index)
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope(self._blocks[place.node])
        return scope

    def _judge(self, task: Task, scope: Scope, index: str, runs: TaskRuns) -> None:
        """End ``task``, which waits for nothing any more, when it does not run or does not count."""
        run = runs.at(task.id, index)
        if run.has_ended:
            return
        refusal = scope.refusal(_guard_of(task)) if task.speculation is not None else None
        if refusal is not None or run.status is not None:
            ended = refusal or self._held.pop((task.id, index), None)
            if ended is not None:
                runs.ended_as(task.id, ended, index)
        elif run.status is None:
            fate = scope.fate(task)
            if fate is not None:
                runs.did_not_run({task.id: fate}, index)
            elif written_items(task) == 0:
                runs.ended_as(task.id, "skipped", index)

    def _end_body(self, node: Place, index: str, outcome: Status, runs: TaskRuns) -> None:
        """A body has run: that is an item, a round, or the node itself."""
        task = node.task
        if depth_of(index) == node.depth:
            outcome = excused(task, outcome)
            if task.speculation is not None and not self._decided(node, index):
                self._held[task.id, index] = outcome
                return
        if not runs.at(task.id, index).has_ended:
            runs.ended_as(task.id, outcome, index)

    def _decided(self, node: Place, index: str) -> bool:
        """Whether it is known that a speculation counts, since the node would have ended if it did not."""
        decider = _guard_of(node.task).decider
        return self._scope(node, index).knows(decider)

    def _end_item(self, place: Place, run: TaskRun, runs: TaskRuns) -> None:
        index = parent_of(run.index)
        items = self._items_of(run.task, index, runs)
        items.count(run.status)
        if place.task.loop is not None and run.status != "success":
            if not runs.at(run.task, index).has_ended:
                runs.ended_as(run.task, excused(place.task, run.status or "failed"), index)
            return
        runs.changed(run.task, index)
        self._settle(run.task, index, items, runs)

    def _settle(self, task: str, index: str, items: Items, runs: TaskRuns) -> None:
        """End a mapped task whose items have all ended."""
        node = self._places[task].task
        if node.expansion is None or items.total is None or items.ended < items.total:
            return
        if not runs.at(task, index).has_ended:
            runs.ended_as(task, map_status(node, items), index)


def map_status(task: Task, items: Items) -> Status:
    """How a mapped task ended whose items ended so."""
    assert task.expansion is not None
    share = task.expansion.tolerated_percent * items.ended / 100
    if items.failed > max(task.expansion.tolerated_count, share):
        return excused(task, "failed")
    return "success" if items.skipped < items.ended else "skipped"


def excused(task: Task, status: Status) -> Status:
    """``status`` of a node as it counts: the failure of an optional one is a skip."""
    return "skipped" if task.optional and status == "failed" else status


def _guard_of(task: Task) -> Guard:
    """What decides whether a speculation counts."""
    assert task.speculation is not None
    return Guard(decider=task.speculation.decider, cases=task.speculation.cases, block=True)

"""``predict``: what a run of a graph comes to. The meaning of every construct, without any state machine.

Nothing here knows the plan, ASL or ``stepweave.graph.outcomes``. A scope (the DAG, an item of a mapped group, a round
of a loop) is walked once in topological order; each node's end follows from the ends of those before it:

    guards   may refuse the task: a block of an If that was not chosen, a branch not taken
    rule     the trigger rule over the final statuses of all upstream tasks
    run      the node's own kind: a call with its attempts, a choice, items, rounds, a body

Time is virtual. A task that runs starts as soon as its guards and its rule have decided. A task that does not run has
no time of its own, but others come after it: at the latest when all that it waited for has ended, at the earliest when
it is certain that it will not run. Machines may do either, so ``predict`` tells the one or the other (``prompt``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf

from stepweave.graph.constructs import Body, Guard
from stepweave.graph.model import FromTask, Graph, Task, references
from tests.reference.attempts import Call
from tests.reference.calls import call
from tests.reference.order import compensated, in_order, leaves
from tests.reference.people import asked
from tests.reference.rules import FAILURES, Seen, Status, decided_at, hopeless_at, verdict
from tests.reference.spreading import batches, item_count, schedule, tolerated
from tests.reference.worlds import Index, Place, World


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of a task, or of an item or round of one."""

    status: Status
    ended: float
    started: float | None = None
    """None for what did not run."""
    attempts: int = 0
    """Calls made, or times that people were asked; 0 for conditions, nodes with a body, and what did not run."""
    chosen: tuple[str, ...] = ()
    count: int | None = None
    """Items or rounds of a node that has such."""


@dataclass(slots=True)
class Prediction:
    """What a run comes to."""

    happened: dict[Place, Happened] = field(default_factory=dict)
    dropped: set[Place] = field(default_factory=set)
    """Begun on suspicion and not wanted: whether they were called depends on who was faster."""
    outcome: Status = "success"
    """Of the run: failed if a leaf is ``failed`` or ``upstream_failed``, else success."""
    failed: tuple[str, ...] = ()
    """Tasks of the DAG itself that failed, as written."""
    ended: float = 0.0
    stopped: float = inf
    """Second at which a DAG with ``fail_fast`` ended; nothing begins after that, and what ran is lost."""
    undone: tuple[str, ...] = ()
    """Tasks that are compensated: all that can be, when the run failed; the last first."""

    @property
    def statuses(self) -> dict[Place, Status]:
        return {place: one.status for place, one in self.happened.items()}

    @property
    def invoked(self) -> dict[Place, int]:
        """Attempts of everything that is called for sure."""
        return {
            place: one.attempts
            for place, one in self.happened.items()
            if one.attempts and place not in self.dropped
        }


def predict(graph: Graph, world: World, *, prompt: bool = False) -> Prediction:
    """What a run of ``graph`` in ``world`` comes to; ``prompt`` for the earliest times instead of the latest."""
    result = Prediction()
    _Scope(graph, world, result, prompt).run((), 0.0)
    most = graph.dag.max_failed_tasks
    failures = sorted(
        one.ended for one in result.happened.values() if one.status == "failed" and one.attempts
    )
    if most is not None and len(failures) > most:
        # What began before this failure is not changed by it, so that the second walk comes to the same second.
        result = Prediction()
        _Scope(graph, world, result, prompt, until=failures[most]).run((), 0.0)
    tops = {task.id: result.happened[task.id, ()] for task in graph.tasks}
    ends = leaves(graph)
    result.outcome = "failed" if any(tops[leaf].status in FAILURES for leaf in ends) else "success"
    result.failed = tuple(task for task, one in tops.items() if one.status == "failed")
    if graph.dag.fail_fast:
        result.stopped = min((tops[task].ended for task in result.failed), default=inf)
        result.outcome = "failed" if result.failed else "success"
    if result.outcome == "failed":
        result.undone = compensated(graph)
    result.ended = max((one.ended for one in result.happened.values()), default=0.0)
    return result


@dataclass(frozen=True, slots=True)
class _Scope:
    """A graph being walked; ``outer`` are the ends of the tasks around a body."""

    graph: Graph
    world: World
    result: Prediction
    prompt: bool
    outer: dict[str, Happened] = field(default_factory=dict)
    until: float = inf
    """Second from which on no attempt begins, because too many tasks have failed; tear-downs do."""

    def run(self, index: Index, begin: float) -> dict[str, Happened]:
        """What became of each task of the scope, which begins at second ``begin``."""
        ends: dict[str, Happened] = {}
        for task in in_order(self.graph):
            one = self._node(task, index, begin, ends)
            ends[task.id] = self.result.happened[task.id, index] = one
        return ends

    def _node(self, task: Task, index: Index, begin: float, ends: dict[str, Happened]) -> Happened:
        # What a body takes from outside has ended before the body begins, and counts as any upstream task does.
        known = self.outer | ends
        seen = [_seen(self.graph, up, known[up]) for up in task.upstream]
        refused = [(guard, answer) for guard in task.guards if (answer := _refusal(guard, known))]
        ruled = verdict(task.trigger_rule, seen)
        guarded_until = max((known[guard.decider].ended for guard in task.guards), default=begin)
        decided = max(begin, guarded_until, decided_at(task.trigger_rule, seen))
        if not refused and ruled == "run":
            return self._run(task, index, decided, known)
        status: Status = refused[0][1] if refused else "skipped" if ruled == "skipped" else "upstream_failed"
        hopeless = min(
            hopeless_at(task.trigger_rule, seen),
            min((known[guard.decider].ended for guard, _ in refused), default=inf),
        )
        waited = max([decided, *(one.at for one in seen)]) if task.trigger_rule != "always" else decided
        ended = max(begin, hopeless) if self.prompt else waited
        for place in self._inside(task, index):
            self.result.happened[place] = Happened(status, ended)
        return Happened(status, ended)

    def _inside(self, task: Task, index: Index) -> Iterator[Place]:
        """Tasks in a body that does not run have no places: nobody knows how many items there would be."""
        if task.body and task.speculation:
            for inner in task.body.graph.tasks:
                yield inner.id, index

    def _run(self, task: Task, index: Index, at: float, known: dict[str, Happened]) -> Happened:
        """The node's own doing from second ``at`` on."""
        chosen = self.world.choices.get((task.id, index), ())
        if task.condition:
            return Happened("success", at, at, chosen=chosen)
        if task.approval:
            status, seconds, times = asked(task, index, self.world)
            return Happened(status, at + seconds, at, times)
        if task.loop:
            return self._loop(task, index, at, known)
        if task.expansion:
            return self._mapped(task, index, at, known)
        if task.body:
            return self._body_node(task, index, at, known)
        made = call(task, index, self.world, self._left(task, at))
        return _called(made, at, chosen if made.status == "success" else ())

    def _mapped(self, task: Task, index: Index, at: float, known: dict[str, Happened]) -> Happened:
        """Items side by side as far as allowed, failures up to the tolerance; all items end before the node does."""
        count = item_count(task, index, self.world, lambda name: known[name].status == "success")
        if count is None:
            return Happened(_excused(task, "failed"), at, at)
        items: dict[int, Happened] = {}
        assert task.expansion
        for begin in schedule(task.expansion.max_concurrency):
            batch = next(batches(count, task.expansion.batch_size, len(items)), None)
            if batch is None:
                break
            start = max(at, begin.at)
            for number in batch:
                items[number] = self._item(task, (*index, number), start, known)
                start = items[number].ended
            begin.free_at(start)
        self.result.happened.update({(task.id, (*index, number)): item for number, item in items.items()})
        ended = max([at, *(item.ended for item in items.values())])
        statuses = [item.status for item in items.values()]
        if tolerated(task.expansion, statuses):
            skipped = all(status == "skipped" for status in statuses)
            return Happened("skipped" if skipped else "success", ended, at, count=count)
        return Happened(_excused(task, "failed"), ended, at, count=count)

    def _item(self, task: Task, index: Index, at: float, known: dict[str, Happened]) -> Happened:
        if task.body:
            return self._body(task.body, index, at, known)
        return _called(call(replace(task, optional=False), index, self.world, self._left(task, at)), at)

    def _left(self, task: Task, at: float) -> float:
        return inf if task.teardown else self.until - at

    def _loop(self, task: Task, index: Index, at: float, known: dict[str, Happened]) -> Happened:
        """Rounds until the condition holds; one that does not succeed ends the loop with its status."""
        assert task.loop
        assert task.body
        wanted = self.world.rounds.get((task.id, index))
        allowed = task.loop.max_rounds
        last = Happened("success", at, at)
        for number in range(min(wanted or allowed, allowed)):
            place = (*index, number)
            last = self.result.happened[task.id, place] = self._body(task.body, place, last.ended, known)
            if last.status != "success":
                return Happened(_excused(task, last.status), last.ended, at, count=number + 1)
        used_up = task.loop.exhausted == "fail" and (wanted is None or wanted > allowed)
        status: Status = _excused(task, "failed") if used_up else "success"
        return Happened(status, last.ended, at, count=min(wanted or allowed, allowed))

    def _body_node(self, task: Task, index: Index, at: float, known: dict[str, Happened]) -> Happened:
        """A graph inside a node, begun at once; one begun on suspicion counts only if its case is chosen."""
        assert task.body
        inner = self._body(task.body, index, at, known)
        if not task.speculation:
            return replace(inner, status=_excused(task, inner.status), started=at)
        decider = known[task.speculation.decider]
        refusal = _refusal(
            Guard(decider=task.speculation.decider, cases=task.speculation.cases, block=True), known
        )
        if refusal is None:
            return replace(inner, started=at, ended=max(inner.ended, decider.ended))
        ended = max(decider.ended, at if self.prompt else inner.ended)
        self.result.dropped.update(
            place for place in self.result.happened if _is_inside(place, task.body.graph, index)
        )
        return Happened(refusal, ended, at)

    def _body(self, body: Body, index: Index, at: float, known: dict[str, Happened]) -> Happened:
        """Failed if a leaf failed, skipped if what it returns was skipped (or all leaves were), else success."""
        scope = _Scope(body.graph, self.world, self.result, self.prompt, known, self.until)
        ends = scope.run(index, at)
        ended = max([at, *(one.ended for one in ends.values())])
        last = [ends[leaf].status for leaf in leaves(body.graph)]
        if not FAILURES.isdisjoint(last):
            return Happened("failed", ended, at)
        returned = [] if body.result is None else [*references(body.result)]
        sources = [
            ends[one.task].status for one in returned if isinstance(one, FromTask) and one.task in ends
        ]
        deciding = sources or last
        skipped = bool(deciding) and all(status == "skipped" for status in deciding)
        return Happened("skipped" if skipped else "success", ended, at)


def _seen(graph: Graph, upstream: str, one: Happened) -> Seen:
    return Seen(one.status, one.ended, upstream in graph and graph[upstream].setup)


def _refusal(guard: Guard, known: dict[str, Happened]) -> Status | None:
    """The status that the guard gives its task; None if it lets it pass."""
    decider = known[guard.decider]
    if decider.status == "success":
        return None if set(guard.cases) & set(decider.chosen) else "skipped"
    if not guard.block:
        return None
    return "upstream_failed" if decider.status in FAILURES else "skipped"


def _called(made: Call, at: float, chosen: tuple[str, ...] = ()) -> Happened:
    return Happened(made.status, at + made.seconds, at, made.attempts, chosen)


def _excused(task: Task, status: Status) -> Status:
    return "skipped" if task.optional and status == "failed" else status


def _is_inside(place: Place, graph: Graph, index: Index) -> bool:
    """Whether ``place`` is one of the body's tasks, or of the bodies in it."""
    name, where = place
    if where[: len(index)] != index:
        return False
    return name in graph or any(
        task.body and _is_inside(place, task.body.graph, index) for task in graph.tasks
    )

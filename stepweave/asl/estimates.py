"""What the steps of a plan will cost, before they are emitted: bytes and worst-case history events.

The arithmetic is that of :mod:`stepweave.asl.measure`, which measures what was emitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stepweave.asl import retries
from stepweave.asl.bodies.sensing import executions, is_long
from stepweave.asl.endings.compensation import MOST_UNDONE, UNDONE_AT_ONCE, compensated
from stepweave.asl.scopes import costs
from stepweave.asl.scopes.limits import INLINE_EVENTS, events_inside
from stepweave.graph.model import Graph, Task
from stepweave.planning import model
from stepweave.planning.model import Plan
from stepweave.planning.partition import LIMITS, Cost
from stepweave.planning.placement import Placement, on_rung, rung_name
from stepweave.planning.plan import to_plan

_SERVICE = retries.LAMBDA_ATTEMPTS
"""Further attempts after errors of the Lambda service."""
_CALL = 5 + 3 * _SERVICE
"""Events of a call of the runtime."""


_UNDO = Cost(bytes=1_100, events=5 + 3 * (_SERVICE + 3))
"""The state that undoes a task."""


def limits_of(graph: Graph) -> Cost:
    """What the steps of a plan may take of a machine of ``graph``, less what the end of the run takes."""
    undone = len(compensated(graph))
    if undone > MOST_UNDONE:
        undone = -(-undone // UNDONE_AT_ONCE) * 2  # calls of machines instead, each twice as large
    return replace(
        LIMITS, bytes=LIMITS.bytes - undone * _UNDO.bytes, events=LIMITS.events - undone * _UNDO.events
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """Cost of the steps of a plan before they are emitted; measured on compiled DAGs, rounded up."""

    tasks: Mapping[str, Task]
    placements: Mapping[str, Placement]
    factor: float = 1.0
    """Raised when a machine turned out larger than estimated."""
    runs: int = 1
    """How often a machine may go through its states: a failed run goes on by itself."""
    inline_events: int = INLINE_EVENTS
    """Events that the items of one inline Map may take here."""

    def __call__(self, step: Plan) -> Cost:
        match step:
            case model.Run(task=task):
                return self._run(self.tasks[task])
            case model.Await(gate=gate, parents=parents):
                size = 1_600 + 12 * len(gate) + sum(len(group[0]) + 4 for group in parents)
                return self._cost(size, 6 + 4 * _SERVICE)
            case model.Signal(groups=groups, gates=gates):
                names = sum(len(group[0]) for group in groups)
                each_gate = sum(len(gate) + 3 for gate in gates)
                # Twice: once for success, once for tasks that do not run.
                size = 2 * (1_050 + 3 * names + len(groups) * (40 + each_gate))
                told = 2 * names + len(groups) * (10 + each_gate)
                return self._cost(size, 2 * (5 + 3 * _SERVICE), told)
            case _:
                return Cost()

    def _inside(self, task: Task) -> Cost:
        """Cost of a node with a graph inside, or of a mapped task."""
        if task.body is None:
            inside = replace(self, factor=1.0, runs=1)._run(replace(task, expansion=None))
        else:
            tasks = {inner.id: inner for inner in task.body.graph.tasks}
            events = events_inside(task, self.inline_events)
            estimate = replace(self, tasks=tasks, factor=1.0, runs=1, inline_events=events)
            inside = costs.of_body(to_plan(task.body.graph), estimate)
        if task.expansion is not None:
            found = costs.of_map(task, inside, self.inline_events)
        elif task.loop is not None:
            found = costs.of_loop(task, inside)
        else:
            found = costs.of_speculation(inside)
        cost = self._cost(found.bytes, found.events)
        return replace(cost, depth=found.depth)

    def _run(self, task: Task) -> Cost:
        if task.expansion is not None or task.body is not None:
            return self._inside(task)
        arguments = min(16_384, 24 * len(task.arguments) + sum(5 * len(up) + 30 for up in task.upstream))
        base = 900 + 18 * len(task.id) + arguments + len(task.doc[:160]) + 60 * min(len(task.upstream), 300)
        if task.approval is not None:
            levels = 1 + len(task.approval.escalations)
            return self._cost(base * (levels + 1), levels * (6 + 4 * _SERVICE) + _CALL + 2 * 2)
        if task.nested is not None:
            return self._cost(base + 700, 6 + 4 * (_SERVICE + task.retry.attempts) + _CALL)
        if is_long(task):
            return self._cost(2 * base + 1_500, executions(task) * (6 + 4 * _SERVICE + 2))
        size, events = self._way(base, task, self.placements[task.id])
        copies = max(task.replicas, 2 if task.hedge_seconds is not None else 1)
        if copies > 1:
            # A Parallel; per branch a Wait, its states and its ends; then the call that settles it.
            size = base + copies * (size + 500) + base
            events = 4 + copies * (events + 2 * 4) + _CALL
        for number in range(1, len(task.ladder) + 1):
            placement = self.placements[rung_name(task.id, number)]
            more = self._way(base, on_rung(task, number), placement)
            size, events = size + more[0], events + more[1]
        return self._cost(size, events + 2)

    @staticmethod
    def _way(base: int, task: Task, placement: Placement) -> tuple[int, int]:
        """Bytes and events of one way to carry out a task."""
        again = retries.attempts(task)
        if placement.is_job:
            most = retries.most_attempts(task)
            size, events = base + 4_000, 2 * _CALL + 6 + 4 * (_SERVICE + most)
        else:
            pokes = retries.pokes(task.sensor) if task.sensor is not None else 0
            size, events = base, 5 + 3 * (_SERVICE + again + pokes)
        if again:
            size += 700 + 130 * len(task.other_retries)
            events = (events + 2) * (1 + retries.most_attempts(task))
        return size, events

    def _cost(self, size: int, events: int, told: int = 0) -> Cost:
        return Cost(bytes=int(size * self.factor), events=events * self.runs, told=told)

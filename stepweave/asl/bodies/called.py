"""A task that calls a function: once, or with all that makes failures rarer around it.

ladder  of ways;   the first way is one attempt, a race of attempts, or replicas with a quorum
"""

from __future__ import annotations

from stepweave.asl import names
from stepweave.asl.bodies import events, ladder
from stepweave.asl.bodies.carrying import carry_out
from stepweave.asl.bodies.outlet import TaskOutlet
from stepweave.asl.bodies.race import race
from stepweave.asl.bodies.replicas import replicas
from stepweave.asl.bodies.sensing import is_long, sensed
from stepweave.asl.bodies.way import Way, entry_of
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.states import State
from stepweave.graph.model import Task
from stepweave.planning.placement import Placement


def called(wiring: Wiring) -> dict[str, State]:
    """The states of the task, the first one first."""
    task = wiring.task
    first = Way(
        base=task.id,
        task=task,
        placement=wiring.placement,
        event={**wiring.event(), **events.options(task, wiring.scene.graph.dag)},
        outlet=TaskOutlet(wiring, tells=_is_parallel(task) or is_long(task)),
        share=names.share(wiring.scene.graph.dag),
    )
    if not task.ladder:
        return sensed(first, wiring.scene) if is_long(task) else _first(first)
    ways = ladder.climb(first)
    found = _first(ways[0])
    for way in ways[1:]:
        found |= carry_out(way)
    return found | ladder.raising_again(first)


def entry(task: Task, placement: Placement) -> str:
    """Name of the first state of the task."""
    if _is_parallel(task) or not placement.is_job:
        return task.id
    return entry_of(task.id, placement)


def keeps_input(task: Task, placement: Placement) -> bool:
    """Whether all states of the task get the input of its first one, so that a run may travel there."""
    return not placement.is_job and not (task.ladder or _is_parallel(task) or is_long(task))


def _is_parallel(task: Task) -> bool:
    return task.replicas > 1 or task.hedge_seconds is not None


def _first(way: Way) -> dict[str, State]:
    task = way.task
    if task.replicas > 1:
        return replicas(way) if task.quorum > 1 else race(way, [0] * task.replicas)
    if task.hedge_seconds is not None:
        return race(way, [0, task.hedge_seconds])
    return carry_out(way)

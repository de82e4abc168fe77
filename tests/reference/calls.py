"""How a task's call ends with everything around it that makes failures rarer: copies side by side, and its ladder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import inf

from stepweave.graph.model import Task
from tests.reference.attempts import STOPPED, Call, attempts_of
from tests.reference.rules import FAILURES
from tests.reference.worlds import SKIP, SUCCESS, Index, World

RESOURCE = "ResourceError"


def call(task: Task, index: Index, world: World, until: float = inf) -> Call:
    """How the task ends there: its own way first, then the rungs of its ladder, each with the task's retries.

    A rung for lack of resources is passed over when something else went wrong. A skip ends the climb. From
    second ``until`` after the first on no attempt begins.
    """
    result = _first_way(task, index, world, until)
    for level, rung in enumerate(task.ladder, 1):
        if result.status != "failed" or (rung.on == "resource" and result.error != RESOURCE):
            continue
        script, left = world.script(task.id, index, level), until - result.seconds
        higher = attempts_of(task, script, world.length(task.id), left)
        result = Call(
            higher.status,
            result.seconds + higher.seconds,
            result.attempts + higher.attempts,
            higher.error,
        )
    if task.optional and result.status in FAILURES:
        return Call("skipped", result.seconds, result.attempts, result.error)
    return result


def _first_way(task: Task, index: Index, world: World, until: float) -> Call:
    if until <= 0:
        return Call("upstream_failed", 0.0, 0, STOPPED)
    script, length = world.script(task.id, index), world.length(task.id)
    if task.replicas > 1 and task.quorum > 1:
        return _quorum(task, index, world)
    if task.replicas > 1:
        return _race(script, length, [0.0] * task.replicas)
    if task.hedge_seconds is not None:
        return _race(script, length, [0.0, float(task.hedge_seconds)])
    return attempts_of(task, script, length, until)


def _race(script: Sequence[str], length: float, begins: Sequence[float]) -> Call:
    """Attempts that begin at these seconds, without retries: the first to succeed counts, a skip ends them all."""
    error, ended = "", 0.0
    for number, begin in enumerate(begins):
        ending = script[min(number, len(script) - 1)]
        ended = begin + length
        if ending in (SUCCESS, SKIP):
            begun = sum(other < ended for other in begins)
            return Call("success" if ending == SUCCESS else "skipped", ended, begun, error)
        error = error or ending
    return Call("failed", ended, len(begins), error)


def _quorum(task: Task, index: Index, world: World) -> Call:
    """Replicas without retries; enough of those that succeed must answer the same."""
    length = world.length(task.id)
    endings = [world.script(task.id, index, number)[0] for number in range(1, task.replicas + 1)]
    if SKIP in endings:
        return Call("skipped", length, task.replicas, SKIP)
    said = world.votes.get((task.id, index), "a" * task.replicas)
    agreeing = Counter(vote for vote, ending in zip(said, endings, strict=True) if ending == SUCCESS)
    if max(agreeing.values(), default=0) >= task.quorum:
        return Call("success", length, task.replicas)
    return Call("failed", length, task.replicas, "PermanentError")

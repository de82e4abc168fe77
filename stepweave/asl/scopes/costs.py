"""What a node with a graph inside will cost, before it is emitted; the arithmetic is that of its states."""

from __future__ import annotations

from collections.abc import Callable

from stepweave.asl.scopes.limits import (
    CALL_EVENTS,
    ITERATION_EVENTS,
    LOOP_EVENTS,
    ROUND_EVENTS,
    most_inline,
    rounds_at_once,
    written_units,
)
from stepweave.graph.model import Task
from stepweave.planning.model import Await, Choose, Nested, Parallel, Plan, Run, Sequence, Signal, walk
from stepweave.planning.partition import BRANCH, FORK, Cost

_CONTROL_EVENTS = 5 + 3 * 6
"""Of a call of the runtime."""
_MAP_BYTES, _ITEMS_BYTES = 2_600, 2_400
_LOOP_BYTES, _CALL_BYTES = 2_800, 2_000
_CHOICE_BYTES, _SPECULATION_BYTES = 600, 6_000


def of_body(plan: Plan, cost_of: Callable[[Plan], Cost]) -> Cost:
    """Cost of the states of ``plan``, run once."""
    bytes_, events, depth = 300, 2 + 2, _depth(plan)
    for step in walk(plan):
        cost = cost_of(step)
        bytes_, events = bytes_ + cost.bytes, events + cost.events
        if isinstance(step, Parallel):
            bytes_ += FORK.bytes + BRANCH.bytes * len(step.branches)
            events += FORK.events + BRANCH.events * len(step.branches)
        elif isinstance(step, Choose):
            bytes_, events = bytes_ + _CHOICE_BYTES, events + 2
    return Cost(bytes=bytes_, events=events, depth=depth)


def of_map(task: Task, item: Cost, events: int) -> Cost:
    """Cost of a mapped node whose items cost ``item`` each, where inline Maps may take ``events``."""
    each = item.events + ITERATION_EVENTS
    most = most_inline(task, each, item.bytes, events)
    units = written_units(task)
    if units is not None:
        inline = units if units <= most else 0
        return Cost(_MAP_BYTES + item.bytes, 6 + 2 + 2 + inline * each, item.depth + 1)
    around = 6 + 6 + 2 + 2 + 2 + _CONTROL_EVENTS
    copies = 2 if most else 1
    return Cost(copies * (_MAP_BYTES + item.bytes) + _ITEMS_BYTES, around + most * each, item.depth + 1)


def of_loop(task: Task, body: Cost) -> Cost:
    """Cost of a loop with such a body, in the machine that it stands in."""
    assert task.loop is not None
    each = body.events + ROUND_EVENTS
    if task.loop.max_rounds * each <= LOOP_EVENTS:
        return Cost(_LOOP_BYTES + body.bytes, 4 + task.loop.max_rounds * each, body.depth + 1)
    calls = -(-task.loop.max_rounds // rounds_at_once(task, each))
    return Cost(_LOOP_BYTES + _CALL_BYTES, 4 + calls * CALL_EVENTS)


def of_speculation(body: Cost) -> Cost:
    """Cost of a speculation with such a body."""
    around = 4 + (6 + 4 * 6) + 2 + 2 + 1 + 1 + 2 + _CONTROL_EVENTS
    return Cost(_SPECULATION_BYTES + body.bytes, around + body.events, body.depth + 1)


def _depth(plan: Plan) -> int:
    """Levels of Parallel states in ``plan``."""
    deepest = 0
    stack = [(plan, 0)]
    while stack:
        node, level = stack.pop()
        match node:
            case Parallel(branches=inner):
                deepest = max(deepest, level + 1)
                stack.extend((part, level + 1) for part in inner)
            case Choose(cases=cases):
                stack.extend((part, level) for _, part in cases)
            case Nested(body=body):
                stack.append((body, level))
            case Sequence(steps=inner):
                stack.extend((part, level) for part in inner)
            case Run() | Await() | Signal():
                pass
    return deepest

"""How much of a body one execution runs itself, before it gives items or rounds to executions of their own."""

from __future__ import annotations

from stepweave.asl.scopes.fields import item_parts
from stepweave.graph.model import Task, references
from stepweave.graph.specs import written_count

MAX_INLINE_CONCURRENCY = 40
"""Iterations of an inline Map that run at once
(https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html)."""
MAX_INLINE_ITEMS = 200
"""Items of an inline Map whose concurrency is limited anyway."""

DISTRIBUTED_CONCURRENCY = 500
"""Items of a distributed Map that run at once on Lambda, unless the DAG says otherwise: half of what all functions of
an account may run at once by default (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). Step
Functions would start up to 10,000, and calls that are throttled for minutes fail."""

INLINE_EVENTS = 12_000
"""Events that the items of one inline Map of a DAG may take, half of what an execution has."""
NEAR_EVENTS = 14_000
"""Events that the rounds of a loop may take in the machine that it stands in."""
LOOP_EVENTS = 20_000
"""Events that rounds may take in an execution of their own; estimates that fall short keep below it, too."""
MAX_COPIED_BYTES = 300_000
"""States of an item that are written twice, for few items and for many; a definition has 1 MiB."""
_LEAST_EVENTS = 1_000
_PART = 4

ITERATION_EVENTS = 2
"""Of each item of an inline Map, besides its states."""
ROUND_EVENTS = 4 + 2
"""Of each round of a loop, besides its body: a Parallel and a Choice."""
CALL_EVENTS = 6 + 4 * 6 + 2
"""Of an execution that runs rounds, in the machine that starts it."""


def events_inside(task: Task, events: int) -> int:
    """Events that an inline Map may take in the body of ``task``, where around it ``events`` were allowed."""
    parts = task.loop.max_rounds if task.loop is not None else _PART if task.expansion is not None else 1
    return max(min(_LEAST_EVENTS, events), events // parts)


def most_inline(task: Task, item_events: int, item_bytes: int, events: int) -> int:
    """Up to how many items, of at most ``item_events`` each, a mapped node runs in its own execution.

    0 where one item may need an execution for itself, and where its states are too large to stand there twice.
    """
    assert task.expansion is not None
    if item_events > LOOP_EVENTS or item_bytes > MAX_COPIED_BYTES:
        return 0
    concurrency = task.expansion.max_concurrency
    limited = concurrency is not None and concurrency <= MAX_INLINE_CONCURRENCY
    return max(1, min(MAX_INLINE_ITEMS if limited else MAX_INLINE_CONCURRENCY, events // item_events))


def rounds_at_once(task: Task, round_events: int) -> int:
    """How many rounds of a loop, of at most ``round_events`` each, one execution runs."""
    assert task.loop is not None
    return max(1, min(task.loop.max_rounds, LOOP_EVENTS // round_events))


def written_units(task: Task) -> int | None:
    """How many items, or batches, a mapped node was given in the DAG; None when that is known only at run time.

    None as well where the state machine reads parts of items that tasks have made: the runtime tells them.
    """
    assert task.expansion is not None
    count = written_count(task.expansion)
    if item_parts(task) and any(any(references(binding)) for _, binding in task.expansion.arguments):
        return None
    return None if count is None else -(-count // (task.expansion.batch_size or 1))

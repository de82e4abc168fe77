"""Parallel and the inline Map: lines side by side, in the scope of their state.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html,
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from stepweave.engine import payload
from stepweave.engine.concurrency import run_all
from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.frame import Frame, Group
from stepweave.engine.machine import Map, Parallel, Task
from stepweave.engine.positions import Position

INLINE_CONCURRENCY = 40
"""Iterations of an inline Map at once: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html."""

RunLine: TypeAlias = Callable[[Frame], Awaitable[Any]]


async def run_parallel(run_line: RunLine, frame: Frame, state: Parallel, position: Position | None) -> Any:
    """The results of the branches, in order; raises ``StateError`` of the first that fails."""
    branches = state.branches
    if position is not None and position.first_line >= 0:
        value, first, children = position.payload, position.first_line, position.children
    else:
        value = frame.input
        if state.arguments is not None:
            value = frame.evaluate(state.arguments)
            payload.check(value, state.name)
        first, children = frame.run.open_lines(len(branches)), {}
        frame.record("ParallelStateStarted", None, (first, len(branches), value))
    started, group = frame.last_event, Group()

    async def branch(index: int) -> Any:
        child = children.get(index)
        if child is not None and child.ended:
            frame.last_event = frame.tail = max(frame.last_event, child.last_event)
            return child.value
        inner = Frame(
            frame.run,
            branches[index],
            value,
            line=first + index,
            last_event=started,
            parent=frame,
            group=group,
            position=child,
        )
        try:
            result = await run_line(inner)
        except StateError:
            group.failed = group.failed or inner
            raise
        frame.last_event = frame.tail = inner.last_event
        return result

    return await _side_by_side(frame, group, branch, len(branches), len(branches), position)


async def run_map(run_line: RunLine, frame: Frame, state: Map, position: Position | None) -> Any:
    """The results of the iterations, in order; raises ``StateError`` of the first that fails."""
    if position is not None and position.first_line >= 0:
        items, first, children = position.payload, position.first_line, position.children
    else:
        items = items_of(frame, state)
        first, children = frame.run.open_lines(len(items)), {}
        frame.record("MapStateStarted", len(items), (first, len(items), items))
    limit = concurrency_of(frame, state, INLINE_CONCURRENCY)
    iterations = _Iterations(run_line, frame, state, items, first, children, frame.last_event, limit > 1)
    return await _side_by_side(frame, iterations.group, iterations.run, len(items), limit, position)


def items_of(frame: Frame, state: Map, *, objects: bool = False) -> Any:
    """What the Map iterates over: an array, or an object where ``objects`` may be; else an evaluation error."""
    items = frame.input if state.items is None else frame.evaluate(state.items)
    if isinstance(items, list) or (objects and isinstance(items, dict)):
        return items
    raise frame.unexpected_type("Items", state.items, "array", items)


def concurrency_of(frame: Frame, state: Map, most: int) -> int:
    """How many iterations run at once, ``most`` at most."""
    limit = frame.evaluate(state.max_concurrency)
    if not payload.is_whole(limit, 0):
        text = payload.to_text(limit)
        raise frame.failed_evaluation(
            "MaxConcurrency", f"MaxConcurrency must be a whole number from 0, got {text}"
        )
    return min(int(limit) or most, most)


@dataclass(slots=True)
class _Iterations:
    """The iterations of one inline Map."""

    run_line: RunLine
    frame: Frame
    state: Map
    items: list[Any]
    first: int
    children: dict[int, Position]
    started: int
    """Id of MapStateStarted."""
    several: bool
    """Whether several run at once."""
    group: Group = field(default_factory=Group)

    async def run(self, index: int) -> Any:
        """The result of one iteration."""
        frame, name = self.frame, self.state.name
        child = self.children.get(index)
        if child is not None and child.closed:
            frame.last_event = frame.tail = max(frame.last_event, child.last_event)
            return child.value
        inner = self._frame(index, child)
        if child is None:
            # An iteration follows the one that made room for it.
            inner.last_event = self.group.free_events.pop() if self.group.free_events else self.started
            inner.record("MapIterationStarted", index, None, name)
            if self.several:
                await _turn(inner)  # those that start together are recorded together
        try:
            if child is None or child.state is None:
                if self.state.selector is not None:
                    inner.stand_in(frame)
                    inner.input = inner.evaluate(self.state.selector)
                payload.check(inner.input, name)
            result = await self.run_line(inner)
        except StateError:
            self.group.failed = self.group.failed or inner
            raise
        self.group.free_events.append(inner.last_event)
        frame.last_event = frame.tail = inner.record("MapIterationSucceeded", index, None, name)
        return result

    def _frame(self, index: int, child: Position | None) -> Frame:
        item = self.items[index]
        return Frame(
            self.frame.run,
            self.state.processor,
            item,
            line=self.first + index,
            last_event=self.started,
            parent=self.frame,
            group=self.group,
            map_item={"Index": index, "Value": item},
            position=child,
        )


async def _turn(inner: Frame) -> None:
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        inner.aborted()
        raise


async def _side_by_side(
    frame: Frame,
    group: Group,
    run: Callable[[int], Awaitable[Any]],
    count: int,
    limit: int,
    position: Position | None,
) -> list[Any]:
    try:
        results = await run_all(run, count, limit)
    except StateError as error:
        _record_failure(frame, group, error)
        raise
    payload.check(results, frame.state.name)
    if position is None or not position.succeeded:
        frame.record_aside(f"{type(frame.state).__name__}StateSucceeded")
    return results


def _record_failure(frame: Frame, group: Group, error: StateError) -> None:
    """Record, after the other lines have been cut off, how the first one failed; the state goes on from there."""
    failed = group.failed
    if failed is None:
        return
    if error.error != RUNTIME:
        if failed.map_item is not None:
            failed.record_aside("MapIterationFailed", failed.map_item["Index"], frame.state.name)
        if failed.started and isinstance(failed.state, Task):
            failed.record_aside("TaskStateAborted")
    frame.last_event = frame.tail = failed.last_event

"""`MapRunner`: the distributed Map: its items, a child execution per batch of them, and what they result in.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from stepweave.engine.branches import concurrency_of, items_of
from stepweave.engine.concurrency import run_all
from stepweave.engine.execution import Execution
from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.frame import Frame
from stepweave.engine.functions import uuid4
from stepweave.engine.machine import Distributed, Machine, Map
from stepweave.engine.map_items import evaluated, map_inputs
from stepweave.engine.map_results import map_result
from stepweave.engine.map_runs import DISTRIBUTED_CONCURRENCY, MAP_RUN_NOTE, MapRun, MapRunStatus
from stepweave.engine.maps.numbers import tolerated_count, tolerated_percentage
from stepweave.engine.maps.thresholds import exceeded, threshold_exceeded
from stepweave.engine.objects import Objects
from stepweave.engine.positions import Position
from stepweave.engine.templates import Template

_WRITTEN = ("SUCCEEDED", "FAILED", "TIMED_OUT")
"""How children end whose results are counted as written."""


class Children(Protocol):
    """What the map runner needs of the engine."""

    executions: dict[str, Execution]
    map_runs: dict[str, MapRun]

    def create(self, details: Mapping[str, Any]) -> Execution:
        """A new execution, which does not run yet."""

    async def run_child(self, execution: Execution, machine: Machine) -> None:
        """Run a child to its end, from where it is."""

    def redrive(self, name: str) -> Execution:
        """An execution that failed, going on."""


class MapRunner:
    """Runs the distributed maps of one engine."""

    def __init__(self, engine: Children, objects: Objects | None) -> None:
        self._engine = engine
        self._objects = objects
        self._machines: dict[str, Machine] = {}
        """The children's machine of each map run, by ARN."""

    def machine_of(self, execution: Execution) -> Machine:
        """The machine of a child."""
        assert execution.map_run is not None
        return self._machines[execution.map_run]

    async def run(self, frame: Frame, state: Map, position: Position | None) -> Any:
        """The result of the Map; raises ``StateError``."""
        spec = state.distributed
        assert spec is not None
        arn, items = self._begin(frame, state, spec, position)
        run = self._engine.map_runs.get(arn)
        try:
            if run is None:
                run = await self._open(frame, state, spec, arn, items)
            elif run.status in ("FAILED", "ABORTED"):
                self._reopen(frame, run)
            self._machines[arn] = Machine(name=run.machine, block=state.processor, inexact=frame.run.inexact)
            result = await self._result(frame, spec, run)
        except StateError as error:
            self._close(frame, run, "FAILED")
            frame.record("MapRunFailed", (error.error, error.cause), error.kind)
            raise
        except asyncio.CancelledError:
            self._close(frame, run, "ABORTED")
            with contextlib.suppress(StateError):
                frame.record_aside("MapRunAborted")
            raise
        if run.status == "RUNNING":
            self._close(frame, run, "SUCCEEDED")
            frame.record_aside("MapRunSucceeded")
        if position is None or not position.succeeded:
            frame.record_aside("MapStateSucceeded")
        return result

    async def _result(self, frame: Frame, spec: Distributed, run: MapRun) -> Any:
        """What the children, once they have run, come to; a ResultWriter also writes what a failed map run came to.

        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html: a file of those that did
        not start since the map run failed.
        """
        try:
            await self._children(run, spec)
        except StateError:
            if spec.writer is not None and spec.writer.resource is not None:
                with contextlib.suppress(StateError):  # the map keeps the error that it failed with
                    await map_result(frame, spec.writer, run, self._engine.executions, self._objects)
            raise
        return await map_result(frame, spec.writer, run, self._engine.executions, self._objects)

    def _begin(
        self, frame: Frame, state: Map, spec: Distributed, position: Position | None
    ) -> tuple[str, Any]:
        """ARN of the map run, begun now or before, and the items unless they are to be read or it has them."""
        begun = position.payload if position is not None and isinstance(position.payload, str) else None
        if begun is not None and begun in self._engine.map_runs:
            return begun, None
        items = None if spec.reader is not None else items_of(frame, state, objects=True)
        if begun is not None:
            return begun, items
        if position is None or position.first_line < 0:
            frame.record("MapStateStarted", len(items or ()), (0, 0, None))
        _tolerances(frame, spec)
        label = spec.label or uuid4(frame.run.generator)
        machine = f"{frame.run.execution.machine}/{label}"
        arn = frame.run.execution.place.map_run_arn(machine, uuid4(frame.run.generator))
        frame.record("MapRunStarted", arn)
        return arn, items

    async def _open(self, frame: Frame, state: Map, spec: Distributed, arn: str, items: Any) -> MapRun:
        """The map run ``arn``, which has its items now."""
        limit = concurrency_of(frame, state, DISTRIBUTED_CONCURRENCY)
        count, percentage = _tolerances(frame, spec)
        *_, machine, identifier = arn.split(":")
        run = MapRun(
            id=identifier,
            machine=machine,
            execution=frame.run.execution.name,
            parent_machine=frame.run.execution.machine,
            batches=await map_inputs(frame, state, spec, items, self._objects),
            max_concurrency=limit,
            tolerated_count=count,
            tolerated_percentage=percentage,
            started_at=frame.run.now(),
            place=frame.run.execution.place,
        )
        self._engine.map_runs[arn] = run
        frame.run.execution.history.note(MAP_RUN_NOTE, run.note(), frame.line)
        return run

    def _reopen(self, frame: Frame, run: MapRun) -> None:
        run.status, run.stopped_at = "RUNNING", None
        run.redrive_count += 1
        frame.record("MapRunRedriven", run.arn, run.redrive_count)

    def _close(self, frame: Frame, run: MapRun | None, status: MapRunStatus) -> None:
        if run is not None:
            run.status, run.stopped_at = status, frame.run.now()
            children = (run.child(index, self._engine.executions) for index in range(len(run.batches)))
            run.results_written = sum(child is not None and child.status in _WRITTEN for child in children)

    async def _children(self, run: MapRun, spec: Distributed) -> None:
        """Run the children; raises ``StateError`` when too many of them fail."""
        machine = self._machines[run.arn]
        total = sum(count for _, count in run.batches)
        failed = 0

        async def child(index: int) -> None:
            nonlocal failed
            execution = self._child(run, spec, index)
            await self._engine.run_child(execution, machine)
            if execution.status in ("FAILED", "TIMED_OUT"):
                failed += run.batches[index][1]
                if exceeded(failed, total, run.tolerated_count, run.tolerated_percentage):
                    raise threshold_exceeded()

        await run_all(child, len(run.batches), run.max_concurrency)

    def _child(self, run: MapRun, spec: Distributed, index: int) -> Execution:
        """The child of a batch: a new one, or the one that there is; in a redrive what failed in it is tried again."""
        known = run.child(index, self._engine.executions)
        again = known is not None and known.status not in ("RUNNING", "SUCCEEDED")
        if known is not None and not (again and run.redrive_count > known.map_attempt):
            return known
        if known is not None and not spec.express:
            known.map_attempt = run.redrive_count
            return self._engine.redrive(known.name)
        attempt = run.redrive_count if known is not None else 0
        details = {
            "name": run.child_name(index, attempt),
            "machine": run.machine,
            "input": run.batches[index][0],
            "express": spec.express,
            "map_run": run.arn,
            "map_attempt": run.redrive_count,
        }
        return self._engine.create(details)


def _tolerances(frame: Frame, spec: Distributed) -> tuple[int, float]:
    """How many items may fail, as a number and as a percentage."""
    count, percentage = spec.tolerated_count, spec.tolerated_percentage
    return (
        _checked(frame, "ToleratedFailureCount", count, tolerated_count),
        _checked(frame, "ToleratedFailurePercentage", percentage, tolerated_percentage),
    )


N = TypeVar("N", int, float)


def _checked(frame: Frame, field: str, template: Template | None, check: Callable[[Any], N]) -> N:
    value = evaluated(frame, template)
    try:
        return check(value)
    except StateError as error:
        if error.error == RUNTIME:
            raise StateError(RUNTIME, frame.cause(error.cause or "")) from error
        raise frame.failed_evaluation(field, error.cause or "") from error

"""`map_result`: what a distributed map results in: the outputs of its children, or where they were written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.engine import payload
from stepweave.engine.execution import Execution
from stepweave.engine.frame import Frame
from stepweave.engine.machine import ResultWriter
from stepweave.engine.map_items import evaluated
from stepweave.engine.map_runs import MapRun
from stepweave.engine.maps.results import ChildResult, result_writer_failed, results_of, transformed
from stepweave.engine.maps.writing import write_results
from stepweave.engine.objects import Objects


async def map_result(
    frame: Frame,
    writer: ResultWriter | None,
    run: MapRun,
    executions: Mapping[str, Execution],
    objects: Objects | None,
) -> Any:
    """The result of the map run; its children are among ``executions``. Raises ``States.ResultWriterFailed``."""
    children = [_child(run, index, executions) for index in range(len(run.batches))]
    if writer is None:
        results: Any = results_of(children)
    elif writer.resource is None:
        results = transformed(children, evaluated(frame, writer.config))
    else:
        arguments = evaluated(frame, writer.arguments)
        config = evaluated(frame, writer.config)
        if objects is None:
            raise result_writer_failed("This engine was given no buckets to write results to.")
        results = await write_results(
            children,
            objects,
            arguments=arguments,
            map_run_arn=run.arn,
            config=config,
            redrive=run.redrive_count,
            modified=frame.run.now(),
        )
    payload.check(results, frame.state.name)
    return results


def _child(run: MapRun, index: int, executions: Mapping[str, Execution]) -> ChildResult:
    execution = run.child(index, executions)
    value, _ = run.batches[index]
    if execution is None:
        return ChildResult(status="PENDING", input=value)
    return ChildResult(
        status=execution.status,
        input=value,
        output=execution.output,
        error=execution.error,
        cause=execution.cause,
        name=execution.name,
        arn=execution.arn,
        machine_arn=execution.machine_arn,
        started_at=execution.started_at,
        stopped_at=execution.stopped_at or execution.started_at,
        redrive_count=execution.redrive_count,
        redriven_at=execution.redriven_at,
        attempt=execution.map_attempt,
        express=execution.express,
    )

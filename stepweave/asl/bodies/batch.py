"""A task on Batch: inputs are prepared, the job runs; where somebody reads a part of its value, it is collected."""

from __future__ import annotations

from typing import Any

from stepweave.asl import names, states
from stepweave.asl.bodies import later
from stepweave.asl.bodies.outlet import Catcher
from stepweave.asl.bodies.way import Way
from stepweave.asl.states import State

_MAX_CAUSE = 8_000
_CAUSE = f"$exists($states.input.Cause) ? $substring($states.input.Cause, 0, {_MAX_CAUSE}) : ''"
"""JSONata for why a job failed that left no error: the cause is its description, with reasons early in it, or what
Batch said when it did not take the job (https://docs.aws.amazon.com/batch/latest/userguide/troubleshooting.html)."""


def batch(way: Way) -> dict[str, State]:
    """Prepare, job, and the state that collects: on success only if a part of the value is read.

    A job that failed is always ``States.TaskFailed``; collecting it raises the error of its class, or a skip.
    """
    prepare = states.batch_prepare(way.task, {**way.event, **later.told(way)})
    job = states.batch_job(way.task, way.placement, way.share)
    fetch = states.batch_collect(way.task, {**way.event, "cause": f"{{% {_CAUSE} %}}"})
    collect = names.collect(way.base)
    prepare["Next"] = way.base
    way.outlet.succeed(fetch, "{% $states.result.Payload %}")
    if way.task.fields:
        job["Next"] = collect
    else:
        way.outlet.succeed(job, {"status": "success"})
    found = {names.prepare(way.base): prepare, way.base: job, collect: fetch}
    caught = way.outlet.catchers()
    reused: Catcher = {"ErrorEquals": ["Reused"], "Next": collect}
    failed = [{"ErrorEquals": ["States.TaskFailed"], "Next": collect}] if caught else []
    put_off: list[Catcher] = []
    if later.possible(way):
        variable = later.in_variable(way)
        kept = {variable: f"{{% {later.from_input(way)} %}}"}
        prepare["Assign"] = kept
        reused = {"ErrorEquals": ["Reused"], "Assign": kept, "Next": collect}
        put_off = [later.catcher(way, f"${variable}", f"${variable} + 1")]
        failed = [{"ErrorEquals": ["States.TaskFailed"], "Next": collect}]
        found |= later.waiting(way)
    _catch(prepare, [reused, *caught])
    _catch(job, [*failed, *caught])
    _catch(fetch, [*put_off, *caught])
    return found


def _catch(state: State, catchers: list[dict[str, Any]]) -> None:
    if catchers:
        state["Catch"] = [dict(catcher) for catcher in catchers]

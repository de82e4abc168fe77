"""A task on Batch: inputs are prepared, the job runs; where somebody reads a part of its value, it is collected."""

from __future__ import annotations

from stepweave.asl import names, states
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.states import State


def batch(wiring: Wiring) -> dict[str, State]:
    """Prepare, job, and the state that collects: on success only if a part of the value is read.

    A job that failed is always ``States.TaskFailed``; collecting it raises the error of its class, or a skip.
    """
    task, event = wiring.task, wiring.event()
    prepare = states.batch_prepare(task, event)
    job = states.batch_job(task, wiring.placement)
    fetch = states.batch_collect(task, event)
    prepare["Next"] = task.id
    wiring.succeed(fetch, "{% $states.result.Payload %}")
    if task.fields:
        job["Next"] = names.collect(task.id)
    else:
        wiring.succeed(job, {"status": "success"})
    found = {names.prepare(task.id): prepare, task.id: job, names.collect(task.id): fetch}
    for state in found.values():
        wiring.catch(state)
    if not wiring.fail_fast:
        job["Catch"].insert(0, {"ErrorEquals": ["States.TaskFailed"], "Next": names.collect(task.id)})
    prepare["Catch"] = [
        {"ErrorEquals": ["Reused"], "Next": names.collect(task.id)},
        *prepare.get("Catch", []),
    ]
    return found

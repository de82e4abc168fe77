"""What the event of a task says besides its call and its arguments: the options that the runtime minds."""

from __future__ import annotations

from typing import Any

from stepweave.asl import retries
from stepweave.asl.text import comment
from stepweave.graph.model import DagInfo, Task

REMEMBERS = ":last_good"
"""Calls that end so answer with the last value that was committed, which therefore is remembered."""

NEVER = 10**9
"""Attempts of a failure that is never the last one."""


def options(task: Task, dag: DagInfo) -> dict[str, Any]:
    """The part of the event of ``task`` that follows from its options; empty for a plain one."""
    found: dict[str, Any] = {}
    errors = retries.own_errors(task)
    if errors:
        found["errors"] = errors
    if task.decides is not None:
        found["chooses"] = {"kind": task.decides.kind, "cases": list(task.decides.cases)}
    if task.sensor is not None:
        found["sensor"] = {
            "entered": "{% $states.context.State.EnteredTime %}",
            "timeout": task.sensor.timeout_seconds,
            "soft": task.sensor.soft_fail,
        }
    if task.breaker is not None:
        found["breaker"] = {
            "name": comment(task.breaker.name),
            "failures": task.breaker.failures,
            "reset": task.breaker.reset_seconds,
        }
    if task.setup:
        found["setup"] = True
    if task.compensate:
        found["compensated"] = True
    if task.heartbeat_seconds is not None:
        found["heartbeat"] = task.heartbeat_seconds
    if any(rung.call.endswith(REMEMBERS) for rung in task.ladder):
        found["remember"] = True
    if dag.max_failed_tasks is not None and not task.teardown:
        # Cleaning up goes on, however many tasks have failed.
        found["max_failed"] = dag.max_failed_tasks
        found |= _last_failures(task)
    return found


def _last_failures(task: Task) -> dict[str, Any]:
    """``tries``: how many attempts each class of error has; left out where no failure counts."""
    if task.optional:
        return {}
    allowed = {error: policy.attempts for policy in retries.policies(task) for error in policy.on}
    return {"tries": {error: number for error, number in allowed.items() if number}}

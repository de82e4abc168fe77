"""The attempts of one call: by which retry policies, how many, how long, and how it ends."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from stepweave.graph.model import RetryPolicy, Task
from tests.reference.rules import Status
from tests.reference.worlds import SKIP, SUCCESS, Index, Script, World

NOT_YET = "NotYet"
RESOURCE = "ResourceError"


@dataclass(frozen=True, slots=True)
class Call:
    """One call with all its attempts."""

    status: Status
    seconds: float
    """From the begin of the first attempt to the end of the last."""
    attempts: int
    error: str = ""
    """Name of the last error."""


def call(task: Task, index: Index, world: World) -> Call:
    """How the task ends there, its ladder climbed."""
    result = _attempts(task, world.script(task.id, index), world.length(task.id))
    for level, rung in enumerate(task.ladder, 1):
        if result.status != "failed" or (rung.on == "resource" and result.error != RESOURCE):
            continue
        higher = _attempts(task, world.script(task.id, index, level), world.length(task.id))
        result = Call(
            higher.status,
            result.seconds + higher.seconds,
            result.attempts + higher.attempts,
            higher.error,
        )
    if task.optional and result.status == "failed":
        return Call("skipped", result.seconds, result.attempts, result.error)
    return result


def _attempts(task: Task, script: Script, length: float) -> Call:
    """Policies count for themselves, as the retriers of a state do."""
    used: Counter[int] = Counter()
    passed, pokes = 0.0, 0
    for number in range(1, 10_000):
        ending = script[min(number, len(script)) - 1]
        passed += length
        if ending == SUCCESS:
            return Call("success", passed, number)
        if ending == SKIP:
            return Call("skipped", passed, number, ending)
        if ending == NOT_YET and task.sensor:
            if passed >= task.sensor.timeout_seconds:
                return Call("skipped" if task.sensor.soft_fail else "failed", passed, number, "SensorTimeout")
            passed += _poke_wait(task, pokes)
            pokes += 1
            continue
        policy = _policy(task, ending)
        if policy is None or used[id(policy)] >= policy.attempts:
            return Call("failed", passed, number, ending)
        passed += _wait(policy, used[id(policy)])
        used[id(policy)] += 1
    raise AssertionError(f"{task.id} is tried for ever")


def _policy(task: Task, error: str) -> RetryPolicy | None:
    return next((policy for policy in (task.retry, *task.other_retries) if error in policy.on), None)


def _wait(policy: RetryPolicy, before: int) -> float:
    """Seconds before one more attempt, without jitter."""
    wait: float = policy.delay_seconds * policy.backoff**before
    return min(wait, policy.max_delay_seconds) if policy.max_delay_seconds is not None else wait


def _poke_wait(task: Task, before: int) -> float:
    assert task.sensor
    wait: float = task.sensor.interval_seconds * task.sensor.backoff**before
    longest = task.sensor.max_interval_seconds
    return min(wait, longest) if longest is not None else wait

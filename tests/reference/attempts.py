"""The attempts of one call: by which retry policies, how many, how long, and how it ends."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf

from stepweave.graph.model import RetryPolicy, Task
from tests.reference.rules import Status
from tests.reference.worlds import SKIP, SUCCESS, Script

NOT_YET = "NotYet"
STOPPED = "RunStopped"
RETRY_AFTER = "RetryAfter:"
"""Followed by the seconds after which the task asks to be tried again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call with all its attempts."""

    status: Status
    seconds: float
    """From the begin of the first attempt to the end of the last."""
    attempts: int
    error: str = ""
    """Name of the last error."""


def attempts_of(task: Task, script: Script, length: float, until: float = inf) -> Call:
    """How a call ends whose attempts take ``length`` seconds each; from second ``until`` on none begins.

    Policies count for themselves, as the retriers of a state do, and anew after the task has asked to be put off.
    A sensor that answers ``NotYet`` pokes again until its time is over, which is judged at the end of a poke.
    """
    used: Counter[str] = Counter()
    passed, put_off = 0.0, 0
    for number in range(1, 10_000):
        if passed >= until:
            return Call("upstream_failed", passed, number - 1, STOPPED)
        ending = script[min(number, len(script)) - 1]
        passed += length
        if ending == SUCCESS:
            return Call("success", passed, number)
        if ending == SKIP:
            return Call("skipped", passed, number, ending)
        if ending == NOT_YET and task.sensor:
            if passed >= task.sensor.timeout_seconds:
                return Call("skipped" if task.sensor.soft_fail else "failed", passed, number, "SensorTimeout")
            passed += _poke_wait(task, used[NOT_YET])
            used[NOT_YET] += 1
            continue
        if ending.startswith(RETRY_AFTER):
            if put_off < max(policy.attempts for policy in _policies(task)):
                passed += float(ending.removeprefix(RETRY_AFTER))
                put_off += 1
                used.clear()
                continue
            ending = "TransientError"
        policy = next((policy for policy in _policies(task) if ending in policy.on), None)
        if policy is None or used[policy.on[0]] >= policy.attempts:
            return Call("failed", passed, number, ending)
        passed += _wait(policy, used[policy.on[0]])
        used[policy.on[0]] += 1
    raise AssertionError(f"{task.id} is tried for ever")


def _policies(task: Task) -> tuple[RetryPolicy, ...]:
    return (task.retry, *task.other_retries)


def _wait(policy: RetryPolicy, before: int) -> float:
    """Seconds before one more attempt, without jitter."""
    wait: float = policy.delay_seconds * policy.backoff**before
    return min(wait, policy.max_delay_seconds) if policy.max_delay_seconds is not None else wait


def _poke_wait(task: Task, before: int) -> float:
    assert task.sensor
    wait: float = task.sensor.interval_seconds * task.sensor.backoff**before
    longest = task.sensor.max_interval_seconds
    return min(wait, longest) if longest is not None else wait

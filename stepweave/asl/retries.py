"""The retriers of a state: what is tried again, how often, after which wait.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error
"""

from __future__ import annotations

from math import ceil
from typing import Any, TypeAlias

from stepweave.graph.constructs import Sensor
from stepweave.graph.model import RetryPolicy, Task

Retrier: TypeAlias = dict[str, Any]

LAMBDA_ERRORS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
"""Errors of the Lambda service itself, worth another try
(https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html)."""
LAMBDA_ATTEMPTS = 6

BATCH_ERRORS = (
    "Batch.AWSBatchException",
    "Batch.TooManyRequestsException",
    "Batch.ServerException",
    "Batch.SdkClientException",
)
"""What Step Functions calls it when Batch does not take a job for now: an account may submit 50 jobs a second
(https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html). The first is what throttling was seen as
(https://github.com/ASFHyP3/hyp3/issues/1676); its name is of the class in the SDK of Java, as are the others."""

EXECUTION_ERRORS = (
    "StepFunctions.ExecutionLimitExceeded",
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.AWSStepFunctionsException",
    "StepFunctions.SdkClientException",
)
"""What it is called when an execution does not begin for now: the first in AWS's guide
(https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html), while recorded names end in
``Exception``; the third is throttling."""

CLASSES = frozenset({"TransientError", "ResourceError", "DataError", "PermanentError"})
"""Error classes that every exception is mapped to, unless a policy names its own class."""

KILLED = ("Runtime.OutOfMemory", "Runtime.ExitError", "Lambda.Unknown")
"""What Lambda reports of a process that was killed, for its memory as a rule, before the runtime could
(https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html,
https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html)."""
RESOURCE_ERRORS = ("ResourceError", *KILLED)
"""A task that ran out of memory or disk."""

TIMED_OUT = ("States.Timeout", "Sandbox.Timedout")
"""What Step Functions and Lambda report of an attempt that was not over in time; the second where code that could not
be interrupted held the process until Lambda ended it."""

RETRY_AFTER = "RetryAfter"
"""What an attempt raises that asks to be made again after a time of its own choice."""

NOT_YET = "NotYet"
"""What a sensor's poke raises whose time has not come."""


def policies(task: Task) -> tuple[RetryPolicy, ...]:
    """The policies of ``task``, the main one first."""
    return (task.retry, *task.other_retries)


def attempts(task: Task) -> int:
    """Further attempts that all policies of ``task`` allow together."""
    return sum(policy.attempts for policy in policies(task))


def most_attempts(task: Task) -> int:
    """Further attempts of the policy of ``task`` that allows most."""
    return max(policy.attempts for policy in policies(task))


def own_errors(task: Task) -> list[str]:
    """Exception classes of the user's that policies name; the runtime reports these by their own names."""
    named = (error for policy in policies(task) for error in policy.on)
    return [error for error in dict.fromkeys(named) if error not in CLASSES and "." not in error]


def of_task(task: Task) -> list[Retrier]:
    """One retrier for each policy, and that of a sensor's pokes."""
    found = [of_policy(policy) for policy in policies(task) if policy.attempts]
    return [_of_sensor(task.sensor), *found] if task.sensor is not None else found


def of_policy(policy: RetryPolicy) -> Retrier:
    """The retrier of one policy."""
    killed = KILLED if "ResourceError" in policy.on else ()
    timed_out = TIMED_OUT if "TransientError" in policy.on else ()
    return _retrier(list(dict.fromkeys([*policy.on, *killed, *timed_out])), policy)


def of_job(task: Task) -> list[Retrier]:
    """The retriers of a Batch job: that of the service, and that of the job, which fails as ``States.TaskFailed``.

    The name stands for any error but a time-out, so the service's come first. The worker ends at once after a failure
    that no further attempt can mend.
    """
    service = _of_service(BATCH_ERRORS, seconds=2)
    allowed = most_attempts(task)
    if not allowed:
        return [service]
    main = next(policy for policy in policies(task) if policy.attempts)
    return [service, {**_retrier(["States.TaskFailed"], main), "MaxAttempts": allowed}]


def of_lambda() -> Retrier:
    """The retrier of the Lambda service's own errors."""
    return _of_service(LAMBDA_ERRORS, seconds=1)


def of_signal() -> Retrier:
    """The retrier of a signal, whatever went wrong: gates that miss it stay shut, and a second one changes nothing."""
    return _of_service(("States.ALL",), seconds=1)


def of_execution() -> Retrier:
    """The retrier of Step Functions' own errors when an execution is to begin."""
    return _of_service(EXECUTION_ERRORS, seconds=2)


def _of_service(errors: tuple[str, ...], seconds: int) -> Retrier:
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": seconds,
        "BackoffRate": 2.0,
        "MaxAttempts": LAMBDA_ATTEMPTS,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    }


def pokes(sensor: Sensor) -> int:
    """Further pokes that cover the time-out of ``sensor``: their waits alone are at least as long.

    >>> pokes(Sensor(interval_seconds=60, timeout_seconds=3600))
    60
    """
    longest = float(sensor.max_interval_seconds or sensor.timeout_seconds)
    passed, number, wait = 0.0, 0, min(float(sensor.interval_seconds), longest)
    while passed < sensor.timeout_seconds:
        if sensor.backoff == 1 or wait >= longest:
            return number + ceil((sensor.timeout_seconds - passed) / wait)
        passed, number, wait = passed + wait, number + 1, min(wait * sensor.backoff, longest)
    return number


def _of_sensor(sensor: Sensor) -> Retrier:
    retrier: Retrier = {
        "ErrorEquals": [NOT_YET],
        "IntervalSeconds": sensor.interval_seconds,
        "BackoffRate": sensor.backoff,
        "MaxAttempts": pokes(sensor),
    }
    if sensor.max_interval_seconds is not None and sensor.max_interval_seconds > sensor.interval_seconds:
        retrier["MaxDelaySeconds"] = sensor.max_interval_seconds
    return retrier


def _retrier(errors: list[str], policy: RetryPolicy) -> Retrier:
    retrier: Retrier = {
        "ErrorEquals": errors,
        "IntervalSeconds": policy.delay_seconds,
        "BackoffRate": policy.backoff,
        "MaxAttempts": policy.attempts,
    }
    if policy.max_delay_seconds is not None and policy.max_delay_seconds > policy.delay_seconds:
        retrier["MaxDelaySeconds"] = policy.max_delay_seconds
    if policy.jitter:
        retrier["JitterStrategy"] = "FULL"
    return retrier

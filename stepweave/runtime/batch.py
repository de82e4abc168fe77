"""`python -m stepweave.runtime.batch`: the command of a Batch job's container.

It reads the event whose key is in ``STEPWEAVE_INPUT`` from the store in ``STEPWEAVE_STORE`` and runs the task. The exit
status tells the job's retry strategy (``evaluateOnExit``) what to do:

    0 success    65 DataError    70 PermanentError    71 ResourceError    75 TransientError    77 Skip    64 wrong usage

A failure also leaves ``failure.json`` under the task's prefix, with the class and the error's text. After one that no
further attempt can mend, a further attempt ends at once with the same status.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

from stepweave.errors import (
    DataError,
    PermanentError,
    ResourceError,
    RetryAfter,
    Skip,
    StoreError,
    TaskError,
    TransientError,
    UsageError,
)
from stepweave.runtime.events import Event
from stepweave.runtime.failure_mark import read_failure, write_failure
from stepweave.runtime.invoke import invoke
from stepweave.runtime.outcome import MachineError, error_class
from stepweave.stores.layout import replica_prefix, task_prefix
from stepweave.stores.objects import ObjectStore, open_store

INPUT_VARIABLE = "STEPWEAVE_INPUT"
STORE_VARIABLE = "STEPWEAVE_STORE"
RETRY_VARIABLE = "STEPWEAVE_RETRY"
"""How many jobs of the state failed before this one: attempts inside a job and retries of the state add up."""
ATTEMPT_VARIABLE = (
    "AWS_BATCH_JOB_ATTEMPT"  # from 1: docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
)

EXIT_STATUS: dict[type[TaskError] | type[Skip], int] = {
    DataError: 65,
    PermanentError: 70,
    ResourceError: 71,
    TransientError: 75,
    Skip: 77,
}
USAGE_STATUS = 64


@dataclass(frozen=True, slots=True)
class Job:
    """The task run of a job, and where its artifacts live."""

    event: Event
    store: ObjectStore

    @property
    def prefix(self) -> str:
        """Under which the task run stores everything."""
        run = self.event["run"]
        prefix = task_prefix(run["dag"], run["id"], self.event["task"], run.get("index", ""))
        return replica_prefix(prefix, self.event["replica"]) if "replica" in self.event else prefix


Around: TypeAlias = Callable[[Job], AbstractContextManager[object]]
"""What is around an attempt: it may log how it ended, and raise another error than it did."""


def run(
    environment: Mapping[str, str],
    *,
    compute: str = "batch",
    logs: bool = False,
    around: Around = lambda job: nullcontext(),
) -> int:
    """The exit status of the job that ``environment`` describes."""
    try:
        job = _job(environment)
    except (UsageError, StoreError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_STATUS
    store, event, prefix = job.store, job.event, job.prefix
    earlier = read_failure(store, prefix)
    if isinstance(earlier, (DataError, PermanentError, RetryAfter, Skip)):
        sys.stderr.write(f"an earlier attempt ended the job: {earlier}\n")
        return exit_status(earlier)
    try:
        with around(job):
            invoke(event, store, compute=compute, logs=logs, echo=True)
    except (TaskError, Skip, MachineError) as error:
        write_failure(store, prefix, error)
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return exit_status(error)
    return 0


def exit_status(error: TaskError | Skip | MachineError) -> int:
    """The exit status for an error as it is reported: that of its class, or of the class that its own one is of."""
    return EXIT_STATUS[error_class(error)]


def _job(environment: Mapping[str, str]) -> Job:
    for variable in (STORE_VARIABLE, INPUT_VARIABLE):
        if not environment.get(variable):
            raise UsageError(
                f"the environment variable {variable} is not set; the state machine sets it for each job"
            )
    store = open_store(environment[STORE_VARIABLE])
    event: Event = json.loads(store.get(environment[INPUT_VARIABLE]))
    within = int(environment.get(ATTEMPT_VARIABLE, "1")) - 1
    event["attempt"] = event.get("attempt", 0) + int(environment.get(RETRY_VARIABLE, "0")) + within
    return Job(event, store)


if __name__ == "__main__":
    sys.exit(run(os.environ))

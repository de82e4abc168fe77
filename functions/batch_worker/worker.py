"""Entry point of the Batch container: runs the task of one job and ends with the exit status of its outcome.

Environment: ``STEPWEAVE_INPUT`` (key of the event, set per job), ``STEPWEAVE_STORE`` (``s3://bucket``) and
``STEPWEAVE_ENV`` (set in the job definition). What the task logs and prints goes to the container's output, which Batch
sends to CloudWatch: lines of JSON, the last of which has the numbers of the attempt. ``POWERTOOLS_LOG_LEVEL`` says from
which level on, as for functions.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from functions.batch_worker.ending import Ending
from functions.batch_worker.json_logs import log_as_json
from functions.batch_worker.spot import watch
from stepweave.runtime.batch import Job, run
from stepweave.runtime.measured import log_keys, measured


def main() -> int:
    """The exit status of the job."""
    ending = Ending()
    signal.signal(signal.SIGTERM, ending.terminate)
    watched = watch(os.environ, ending.reclaimed)

    @contextmanager
    def around(job: Job) -> Iterator[None]:
        log_as_json(log_keys(job.event), os.environ.get("POWERTOOLS_LOG_LEVEL") or "INFO")
        with measured(job.event, os.environ, _write_line), ending.watching(job):
            yield

    try:
        return run(os.environ, around=around)
    finally:
        if watched is not None:
            watched.set()


def _write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

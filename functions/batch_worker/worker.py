"""Entry point of the Batch container: runs the task of one job and ends with the exit status of its outcome.

Environment: ``STEPWEAVE_INPUT`` (key of the event, set per job), ``STEPWEAVE_STORE`` (``s3://bucket/prefix``, set in
the job definition). What the task logs and prints goes to the container's output, which Batch sends to CloudWatch.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from stepweave.errors import TransientError
from stepweave.runtime.batch import EXIT_STATUS, run


def main() -> int:
    """The exit status of the job."""
    signal.signal(signal.SIGTERM, _stop)
    return run(os.environ)


def _stop(number: int, frame: FrameType | None) -> None:
    # Batch terminates a job, or a spot instance is reclaimed: the attempt is void, a further one may succeed
    # (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-instance-spot.html).
    sys.stderr.write("terminated: the job was stopped or its instance is reclaimed\n")
    sys.stderr.flush()
    os._exit(EXIT_STATUS[TransientError])


if __name__ == "__main__":
    sys.exit(main())

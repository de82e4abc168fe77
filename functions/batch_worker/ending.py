"""`Ending`: a job that is about to be stopped gives its task time to save what it has, and asks for another attempt.

Between the signal and the kill a container has 30 seconds
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html). A task that looks at ``context.stopping``
gets most of them; any other is ended at once. In both cases the folders of checkpoints are saved first.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from stepweave.errors import Skip, TransientError
from stepweave.runtime import stopping
from stepweave.runtime.batch import EXIT_STATUS, Job
from stepweave.runtime.checkpoints import save_folders
from stepweave.runtime.failure_mark import write_failure
from stepweave.runtime.outcome import MachineError, reported

GRACE_SECONDS = 20.0
_logger = logging.getLogger("stepweave.worker")


class Stopped(TransientError):
    """The job was stopped, or its instance reclaimed, before the task had ended."""


class Ending:
    """How the job of this process ends before its time."""

    def __init__(
        self, *, grace_seconds: float = GRACE_SECONDS, leave: Callable[[int], object] = os._exit
    ) -> None:
        """``leave`` ends the process with a status."""
        self._grace_seconds = grace_seconds
        self._leave = leave
        self._job: Job | None = None
        self._has_ended = threading.Event()

    def terminate(self, number: int, frame: FrameType | None) -> None:
        """What a signal does: the process ends within the grace time."""
        stopping.request_stop()
        # Not by `sys.stderr`, which may be at work just now.
        os.write(2, b"terminated: the job was stopped or its instance is reclaimed\n")
        # In a thread: the signal may have come while a library was at work that must not be entered again.
        threading.Thread(target=self._finish, name="stepweave-ending", daemon=True).start()

    def reclaimed(self, action: str) -> None:
        """What a spot notice does: the task may look, folders are saved now, and the signal comes later."""
        stopping.request_stop()
        _logger.warning("the spot instance is reclaimed", extra={"action": action})
        self._save()

    @contextmanager
    def watching(self, job: Job) -> Iterator[None]:
        """Around the attempt: an error that it raises while it is being stopped is a reason for another attempt."""
        self._job = job
        try:
            yield
        except (Exception, SystemExit) as error:
            if not stopping.is_requested() or isinstance(error, Skip | MachineError):
                raise
            raise reported(
                Stopped(f"the job was stopped while its task ran ({type(error).__name__}: {error})")
            ) from error
        finally:
            self._has_ended.set()

    def _finish(self) -> None:
        if self._has_ended.wait(self._grace_seconds if stopping.is_watched() else 0):
            return  # the process ends by itself, with the status of the attempt
        self._save()
        if self._job is not None:
            stopped = Stopped("the job was stopped, or its instance reclaimed, before the task had ended")
            with suppress(Exception):  # the process ends in any case, and the job's status says enough
                write_failure(self._job.store, self._job.prefix, reported(stopped))
        with suppress(Exception):
            sys.stdout.flush()
        self._leave(EXIT_STATUS[TransientError])

    def _save(self) -> None:
        try:
            saved = save_folders()
        except Exception:
            _logger.exception("a checkpoint could not be saved")
            return
        if saved:
            _logger.info("checkpoints saved", extra={"checkpoints": saved})

"""The jobs: submitted, run to their end by a thread each, told about by events; what another part calls is here."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ministack.services import batch, eventbridge

from stepweave.local_aws.environment import variables
from stepweave.local_aws.layer import logs, permissions
from stepweave.local_aws.layer.batch import bundles
from stepweave.local_aws.layer.batch.attempts import Attempt, Ended, Work
from stepweave.local_aws.layer.batch.records import (
    ENDED,
    TIMEOUT,
    BatchError,
    ending_of,
    log_of,
    new_record,
    now_ms,
)
from stepweave.local_aws.layer.batch.requests import resource, variables_of
from stepweave.local_aws.layer.batch.retrying import again
from stepweave.local_aws.layer.part import Setting
from stepweave.local_aws.layer.scope import local_account

MOST_AT_WORK = max(4, 2 * (os.cpu_count() or 2))
"""Jobs that run at a time; the others are RUNNABLE."""
HOST_LOST = "Host EC2 (instance i-{instance}) terminated."
"""Status reason where a spot instance was taken away
(https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html)."""
_EXITED = "Essential container in task exited"
_OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"

_log = logging.getLogger("stepweave.batch")


class Jobs:
    """All jobs of the server. The records are ministack's, so that they are saved with its state."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._changed = threading.Condition(threading.RLock())
        self._room = threading.Semaphore(MOST_AT_WORK)
        self._attempts: dict[str, Attempt] = {}
        self._stopped: dict[str, str] = {}
        """Reason by the job that is to end for good."""
        self._lost: set[str] = set()
        """Jobs whose host is being taken away."""
        self._callbacks: dict[str, list[Callable[[dict[str, Any]], None]]] = {}
        self._closing = threading.Event()

    # What others call.

    def submit(self, request: Mapping[str, Any]) -> str:
        """The id of a new job; ``request`` is that of SubmitJob. Raises :class:`BatchError`."""
        with local_account():
            record = new_record(request)
            batch._jobs[record["jobId"]] = record
        self._begin(record)
        return str(record["jobId"])

    def terminate(self, job_id: str, reason: str) -> None:
        """Stop a job for good, whatever it is doing; one that has ended or is unknown stays as it is."""
        with local_account():
            record = batch._jobs.get(job_id)
        if record is None or record["status"] in ENDED:
            return
        with self._changed:
            self._stopped.setdefault(job_id, reason)
            self._changed.notify_all()
            attempt = self._attempts.get(job_id)
        if attempt is not None:
            attempt.terminate()

    def reclaim(self, job_id: str) -> None:
        """Take away the host of a job, as happens on spot capacity: SIGTERM, then the retry strategy decides."""
        with self._changed:
            attempt = self._attempts.get(job_id)
            if attempt is None:
                raise BatchError("ClientException", f"job {job_id} is not running")
            self._lost.add(job_id)
        attempt.terminate()

    def describe(self, job_id: str) -> dict[str, Any]:
        """The record of a job, as DescribeJobs has it. Raises :class:`BatchError`."""
        with local_account():
            record = batch._jobs.get(job_id)
        if record is None:
            raise BatchError("ClientException", f"no job {job_id}")
        with self._changed:
            copied: dict[str, Any] = json.loads(json.dumps(record))
        return copied

    def when_ended(self, job_id: str, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call ``callback`` with the record once the job has ended: from a thread, or at once if it has."""
        with self._changed:
            record = self.describe(job_id)
            if record["status"] not in ENDED:
                self._callbacks.setdefault(job_id, []).append(callback)
                return
        callback(record)

    def resume(self) -> None:
        """Go on with the jobs of before a restart: to those that ran, it is as if their host had been lost."""
        with local_account():
            left = [record for record in batch._jobs.values() if record["status"] not in ENDED]
        for record in left:
            self._begin(record)

    def close(self) -> None:
        """Kill what runs; the records stay as they are, so that :meth:`resume` finds them."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
            running = tuple(self._attempts.values())
        for attempt in running:
            attempt.kill()

    # A job's life.

    def _begin(self, record: dict[str, Any]) -> None:
        threading.Thread(
            target=self._live, args=(record,), daemon=True, name=f"job-{record['jobId']}"
        ).start()

    def _live(self, record: dict[str, Any]) -> None:
        with local_account():
            try:
                self._run(record)
            except Exception as error:
                _log.exception("job %s", record["jobId"])
                self._end(record, "FAILED", f"CannotStartContainerError: {error}")

    def _run(self, record: dict[str, Any]) -> None:
        if record["status"] in ("STARTING", "RUNNING"):
            self._note(record, Ended(exit_code=None, why="lost"), record.get("startedAt", 0))
        else:
            self._state(record, "PENDING")
        while not self._closing.is_set():
            done = self._decided(record)
            if done is not None:
                self._end(record, *done)
                return
            self._state(record, "RUNNABLE")
            if not self._has_room(record):
                continue
            try:
                started, ended = self._attempt(record)
            finally:
                self._room.release()
            if self._closing.is_set():
                return  # the attempt was killed with the server; `resume` notes it
            self._note(record, ended, started)

    def _has_room(self, record: Mapping[str, Any]) -> bool:
        """Wait for room; False when the job was stopped meanwhile."""
        while record["jobId"] not in self._stopped and not self._closing.is_set():
            if self._room.acquire(timeout=0.2):
                return True
        return False

    def _decided(self, record: Mapping[str, Any]) -> tuple[str, str] | None:
        """How the job ended and why, or None when an attempt is due."""
        attempts = record["attempts"]
        stopped = self._stopped.get(record["jobId"])
        if not attempts:
            return ("FAILED", stopped) if stopped else None
        ending = ending_of(attempts[-1])
        if ending.exit_code == 0 and not stopped:
            return "SUCCEEDED", ending.status_reason
        if stopped or not again(record["retryStrategy"], len(attempts), ending):
            return "FAILED", stopped or ending.status_reason
        return None

    def _attempt(self, record: dict[str, Any]) -> tuple[int, Ended]:
        number = len(record["attempts"]) + 1
        group, stream = log_of(record)
        record["container"]["logStreamName"] = stream
        self._state(record, "STARTING")
        attempt = Attempt(
            self._work(record, number),
            self._setting.temporary,
            lambda lines: logs.write(group, stream, lines),
        )
        with self._changed:
            self._attempts[record["jobId"]] = attempt
        started = record["startedAt"] = now_ms()
        self._state(record, "RUNNING")
        if record["jobId"] in self._stopped or self._closing.is_set():
            attempt.kill()
        try:
            return started, attempt.run()
        finally:
            with self._changed:
                self._attempts.pop(record["jobId"], None)

    def _work(self, record: Mapping[str, Any], number: int) -> Work:
        container = record["container"]
        given = variables_of(container)
        own = {
            # `python` is this interpreter, the one for which bundles are built here.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONUNBUFFERED": "1",
            **variables(self._setting.endpoint),
            **permissions.credentials(str(container.get("jobRoleArn", "")), record["jobId"]),
            **given,
            "AWS_BATCH_JOB_ID": record["jobId"],
            "AWS_BATCH_JOB_ATTEMPT": str(number),
            "AWS_BATCH_JQ_NAME": record["jobQueue"].split("/")[-1],
            "AWS_BATCH_CE_NAME": "local",
        }
        if bundles.VARIABLE in given:
            own["PYTHONPATH"] = str(bundles.unpacked(given[bundles.VARIABLE], self._setting.temporary))
        timeout = (record.get("timeout") or {}).get("attemptDurationSeconds")
        return Work(
            command=container["command"],
            environment=own,
            timeout_seconds=float(timeout or 0),
            memory_mib=resource(container, "MEMORY") or 0,
        )

    def _note(self, record: dict[str, Any], ended: Ended, started: int) -> None:
        """Add an attempt that has ended to the record."""
        job_id = record["jobId"]
        lost = ended.why == "lost" or job_id in self._lost
        self._lost.discard(job_id)
        instance = job_id.replace("-", "")[:17]
        reason = {
            "timeout": TIMEOUT,
            "terminated": self._stopped.get(job_id, "Terminated"),
            "unstarted": "Task failed to start",
        }.get(ended.why, _EXITED)
        container = {"exitCode": ended.exit_code, "logStreamName": record["container"].get("logStreamName")}
        if ended.why == "memory":
            container["reason"] = _OUT_OF_MEMORY
        if ended.why == "unstarted":
            container["reason"] = "CannotStartContainerError"
        container = {name: value for name, value in container.items() if value is not None}
        with self._changed:
            record["container"].pop("reason", None)
            record["container"].pop("exitCode", None)
            record["container"].update(container)
            record["attempts"].append(
                {
                    "startedAt": started,
                    "stoppedAt": now_ms(),
                    "statusReason": HOST_LOST.format(instance=instance) if lost else reason,
                    "container": container,
                }
            )

    def _state(self, record: dict[str, Any], status: str, reason: str | None = None) -> None:
        with self._changed:
            record["status"] = status
            if reason is not None:
                record["statusReason"] = reason
            detail = json.dumps(record)
        entry = {
            "Source": "aws.batch",
            "DetailType": "Batch Job State Change",
            "Detail": detail,
            "Resources": [record["jobArn"]],
        }
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

    def _end(self, record: dict[str, Any], status: str, reason: str) -> None:
        record["stoppedAt"] = now_ms()
        self._state(record, status, reason)
        with self._changed:
            callbacks = self._callbacks.pop(record["jobId"], ())
            self._stopped.pop(record["jobId"], None)
        for callback in callbacks:
            callback(self.describe(record["jobId"]))

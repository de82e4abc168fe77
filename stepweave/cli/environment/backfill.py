"""``stepweave backfill --env``: a run of a deployed DAG for each logical date."""

from __future__ import annotations

import getpass
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from stepweave.cli.backfilling.runs import DatedRun, Earlier, planned
from stepweave.cli.environment.described import took
from stepweave.deployed.deployment import Deployment, open_deployment
from stepweave.deployed.looking import as_it_is
from stepweave.deployed.run_records import RunRecords
from stepweave.deployed.starting import resume, trigger
from stepweave.errors import StepweaveError
from stepweave.stores.run_table import ENDED, DeployedRun

POLL_SECONDS = 3.0
"""Between two looks at the record of a run."""


def backfill(
    env: str,
    dag_id: str,
    params: Mapping[str, Any],
    moments: Sequence[datetime],
    concurrency: int,
    rerun: bool,
    tell: Callable[[DatedRun], None],
) -> list[DatedRun]:
    """The runs of all dates, ended; ``concurrency`` of them go on at a time, each on record when it is asked for.

    After a Ctrl-C no more are begun. Those that go on, ``running`` here, go on.
    """
    deployment = open_deployment(env)
    deployment.dag(dag_id)
    records = RunRecords(deployment)

    def find(run_id: str) -> Earlier | None:
        run = records.run(dag_id, run_id)
        if run is None:
            return None
        run = as_it_is(deployment, run)
        return Earlier(run_id, run.status, took(run))

    work = _Backfill(deployment, records, dag_id, params, tell)
    runs = planned(find, dag_id, moments, rerun=rerun)
    with ThreadPoolExecutor(concurrency) as threads:
        pending = [threads.submit(work.one, run) for run in runs]
        try:
            wait(pending)
        except KeyboardInterrupt:
            work.stopped.set()
            wait(pending)  # whoever asks for a run just now has an answer first
    ended = [each.result() for each in pending]
    if work.stopped.is_set():
        sys.stderr.write(_interrupted(ended, env))
    return ended


def _interrupted(runs: Sequence[DatedRun], env: str) -> str:
    """What a Ctrl-C leaves: runs that go on, and how to stop them."""
    going_on = [run for run in runs if run.way != "skip" and run.status == "running"]
    lines = ["", "no more runs are begun; the same command goes on with the rest"]
    if going_on:
        lines += ["runs that were begun go on; to stop them:"]
        lines += [f"  stepweave cancel {run.run_id} --env {env}" for run in going_on]
    return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Backfill:
    """Carries out planned runs."""

    deployment: Deployment
    records: RunRecords
    dag_id: str
    params: Mapping[str, Any]
    tell: Callable[[DatedRun], None]
    stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def one(self, run: DatedRun) -> DatedRun:
        """A run, ended."""
        if run.way == "skip" or self.stopped.is_set():
            return run
        began = time.monotonic()
        try:
            found = self._ended(run)
        except StepweaveError as error:
            ended = replace(run, status="failed", error=str(error), wall_seconds=time.monotonic() - began)
        else:
            if found is None:
                return replace(run, status="running", wall_seconds=time.monotonic() - began)
            ended = replace(run, status=found.status, error=found.error, wall_seconds=took(found))
        with self._lock:
            self.tell(ended)
        return ended

    def _ended(self, run: DatedRun) -> DeployedRun | None:
        """The record of a run that was started and has ended; None when there was a Ctrl-C meanwhile."""
        by, before = getpass.getuser(), self.records.run(self.dag_id, run.run_id)
        before = as_it_is(self.deployment, before) if before is not None else None
        if run.way == "resume" and before is not None:
            resume(self.deployment, before, by=by)
        else:
            trigger(
                self.deployment, self.dag_id, self.params, run_id=run.run_id, logical_date=run.date, by=by
            )
        while not self.stopped.is_set():
            found = self.records.run(self.dag_id, run.run_id)
            # Until the record knows of the new execution it tells of the end of the one before.
            is_new = before is None or (found is not None and found.attempt > before.attempt)
            if found is not None and is_new:
                found = as_it_is(self.deployment, found)
                if found.status in ENDED:
                    return found
            self.stopped.wait(POLL_SECONDS)
        return None

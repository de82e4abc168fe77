"""`Deployed`: a deployed project, and what a person does with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3

from stepweave.deployed.deployment import Deployment, open_deployment
from stepweave.deployed.run_records import RunRecords
from stepweave.local_aws.cdk import Cdk
from stepweave.stores.run_table import DeployedRun

ENV = "local"
SECONDS = 90.0
"""Longest wait for something that takes a few seconds on an idle machine."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A project on the local AWS."""

    root: Path
    cdk: Cdk

    def deploy(self, *dags: str) -> str:
        """What the CDK printed; compiles, then deploys the platform and all DAGs, or the stacks of some."""
        self.stepweave("compile")
        return self.cdk.deploy(*(f"{ENV}/{dag}" for dag in dags), dags=dags)

    def stepweave(self, *arguments: str, status: int = 0) -> str:
        """Standard output of a command, which has to end with ``status``."""
        done = subprocess.run(
            [sys.executable, "-m", "stepweave", *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def shown(self, run_id: str) -> dict[str, Any]:
        """What ``stepweave show --json`` says of a run."""
        found: dict[str, Any] = json.loads(self.stepweave("show", run_id, "--env", ENV, "--json"))
        return found

    def values(self, run_id: str) -> dict[str, Any]:
        """The value of each task of a run that has one."""
        return {task: one["value"] for task, one in self.shown(run_id)["tasks"].items() if "value" in one}

    @property
    def environment(self) -> Deployment:
        return open_deployment(ENV)

    @property
    def bucket(self) -> str:
        return self.environment.platform.store.removeprefix("s3://")

    def aws(self, service: str) -> Any:
        return boto3.client(service)

    def upload(self, key: str, data: bytes) -> None:
        self.aws("s3").put_object(Bucket=self.bucket, Key=key, Body=data)

    def runs(self, dag: str) -> list[DeployedRun]:
        """The latest runs of a DAG, newest first."""
        return RunRecords(self.environment).newest(dag, 200)

    def run(self, dag: str, run_id: str) -> DeployedRun:
        found = RunRecords(self.environment).run(dag, run_id)
        assert found is not None, run_id
        return found

    def started(self, dag: str, *given: str) -> str:
        """The id of a run that ``stepweave trigger`` started."""
        answer = json.loads(self.stepweave("trigger", dag, "--env", ENV, "--json", *given))
        return str(answer["run_id"])

    def ended(self, dag: str, run_id: str) -> DeployedRun:
        """The record of a run, once it has ended and everybody was told."""
        return until(lambda: self.run(dag, run_id), lambda run: run.ended is not None and run.is_handled)

    def keys(self, prefix: str) -> list[str]:
        """Keys in the bucket."""
        listed = self.aws("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in listed.get("Contents", [])]

    def advance(self, seconds: float) -> None:
        """Let time pass at once, for schedules, alarms and waits."""
        request = urllib.request.Request(
            os.environ["AWS_ENDPOINT_URL"] + "/_stepweave/clock",
            data=json.dumps({"advance": seconds}).encode(),
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


def until(look: Callable[[], T], fits: Callable[[T], bool], seconds: float = SECONDS) -> T:
    """What ``look`` gives, once it fits; an assertion when it does not in time."""
    begin = time.monotonic()
    while True:
        found = look()
        if fits(found):
            return found
        assert time.monotonic() - begin < seconds, f"not in {seconds:.0f} s: {found}"
        time.sleep(0.1)

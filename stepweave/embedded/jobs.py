"""`Jobs`: the Batch jobs of a run as subprocesses of this machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepweave.embedded.logs import append
from stepweave.embedded.machines import Job
from stepweave.embedded.pool import STORE_VARIABLE
from stepweave.embedded.taskruns import TaskRuns
from stepweave.engine.integrations.base import Integration
from stepweave.engine.integrations.batch_submit import batch_integrations
from stepweave.engine.jobs import JobDefinition
from stepweave.graph.model import Task
from stepweave.runtime.batch import INPUT_VARIABLE
from stepweave.stores.layout import failure_key, task_prefix
from stepweave.stores.objects import ObjectStore

DEFAULT_VCPUS = 1.0
JOB_MODULE = "stepweave.embedded.job"


class Jobs:
    """Runs what the container runs, with the limits that each task declares."""

    def __init__(self, jobs: Mapping[str, Job], store: ObjectStore) -> None:
        """``jobs`` by the name of the job definition."""
        self._jobs, self._store = jobs, store
        self._runs_of: Callable[[str], TaskRuns] | None = None

    def connect(self, runs_of: Callable[[str], TaskRuns]) -> None:
        """Look up task runs by ``runs_of``, from the id of their run."""
        self._runs_of = runs_of

    def integrations(self, path: Sequence[str]) -> dict[str, Integration]:
        """``batch:submitJob.sync``, with as many jobs at once as this machine's CPUs allow.

        ``path``: what a job needs in ``sys.path``.
        """
        inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
        environment = {
            STORE_VARIABLE: self._store.url,
            "PYTHONPATH": os.pathsep.join([*path, *inherited]),
        }
        definitions = {name: _definition(job.task, environment) for name, job in self._jobs.items()}
        return batch_integrations(definitions, max_vcpus=float(os.cpu_count() or 1), on_log=self._keep_log)

    def failure(self, dag: str, run: str, task: str, index: str = "") -> tuple[str, str] | None:
        """Error class and text that the latest job of a task left; None when it left none (killed, out of memory)."""
        return job_failure(self._store, task_prefix(dag, run, task, index))

    def _keep_log(self, arguments: Mapping[str, Any], line: str) -> None:
        # runs/<dag>/<run>/<task>[/<i>/<j>…]/input.json
        prefix = _prefix_of(arguments)
        _, _, run, _, *index = prefix.split("/")
        task = self._jobs[str(arguments["JobDefinition"])].task.id
        assert self._runs_of is not None, "connect() comes before the first job"
        attempts = self._runs_of(run).at(task, "/".join(index)).attempts
        append(self._store, prefix, max(0, attempts - 1), line + "\n")


def job_failure(store: ObjectStore, prefix: str) -> tuple[str, str] | None:
    """Error class and text that the latest job of the task run under ``prefix`` left; None when it left none."""
    data = store.get_or_none(failure_key(prefix))
    if data is None:
        return None
    mark = json.loads(data)
    return str(mark["class"]), str(mark["error"])


def _prefix_of(arguments: Mapping[str, Any]) -> str:
    """The prefix of the task run whose job was submitted with ``arguments``: where the job's input lies."""
    variables = arguments["ContainerOverrides"]["Environment"]
    key = next(str(each["Value"]) for each in variables if each["Name"] == INPUT_VARIABLE)
    return key.rpartition("/")[0]


def _definition(task: Task, environment: Mapping[str, str]) -> JobDefinition:
    return JobDefinition(
        command=(sys.executable, "-m", JOB_MODULE, str(os.getpid())),
        environment=environment,
        vcpus=task.resources.cpu or DEFAULT_VCPUS,
        memory_mib=task.resources.memory_mib,
        gpus=task.resources.gpu,
        timeout_seconds=task.timeout_seconds,
    )

"""`Jobs`: the Batch jobs of a run as subprocesses of this machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from stepweave.embedded.logs import append
from stepweave.embedded.places import Place
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

    def __init__(
        self,
        places: Mapping[str, Place],
        dag_id: str,
        run_id: str,
        tasks: Mapping[str, str],
        *,
        store: ObjectStore,
        runs: TaskRuns,
        path: Sequence[str],
    ) -> None:
        """``tasks``: the task of each job definition; ``path``: what a job needs in ``sys.path``."""
        self._places, self._dag_id, self._run_id, self._tasks = places, dag_id, run_id, tasks
        self._store, self._runs, self._path = store, runs, path

    def integrations(self) -> dict[str, Integration]:
        """``batch:submitJob.sync``, with as many jobs at once as this machine's CPUs allow."""
        inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
        environment = {
            STORE_VARIABLE: self._store.url,
            "PYTHONPATH": os.pathsep.join([*self._path, *inherited]),
        }
        definitions = {
            name: _definition(self._places[task].task, environment) for name, task in self._tasks.items()
        }
        return batch_integrations(definitions, max_vcpus=float(os.cpu_count() or 1), on_log=self._keep_log)

    def failure(self, task: str, index: str = "") -> tuple[str, str] | None:
        """Error class and text that the latest job of ``task`` left; None when it left none (killed, out of memory)."""
        data = self._store.get_or_none(failure_key(task_prefix(self._dag_id, self._run_id, task, index)))
        if data is None:
            return None
        mark = json.loads(data)
        return str(mark["class"]), str(mark["error"])

    def _keep_log(self, arguments: Mapping[str, Any], line: str) -> None:
        task = self._tasks[str(arguments["JobDefinition"])]
        prefix = _prefix_of(arguments)
        root = task_prefix(self._dag_id, self._run_id, task)
        attempts = self._runs.at(task, prefix.removeprefix(root).removeprefix("/")).attempts
        append(self._store, prefix, max(0, attempts - 1), line + "\n")


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

"""``batch:submitJob``, also with ``.sync``: a job of a job definition, as a subprocess of this machine.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from stepweave.engine.failures import TASK_FAILED, StateError
from stepweave.engine.integrations.background import Background
from stepweave.engine.integrations.base import MISREAD, Call, Integration, check_name, unusable
from stepweave.engine.integrations.names import known_name
from stepweave.engine.jobs import Attempt, JobDefinition, run_attempt
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.engine.place import ACCOUNT, REGION
from stepweave.errors import Problem

OnJobLog = Callable[[Mapping[str, Any], str], None]
"""Told each line that a job prints, with the arguments of its submission."""


class SubmitJob(Integration):
    """Runs jobs, as many at once as the vCPUs allow."""

    def __init__(
        self,
        definitions: Mapping[str, JobDefinition],
        *,
        max_vcpus: float | None = None,
        on_log: OnJobLog | None = None,
        background: Background | None = None,
    ) -> None:
        """``max_vcpus`` is what all running jobs may declare together; a job that wants more runs alone.

        ``background`` takes the jobs that no task waits for.
        """
        self._definitions = definitions
        self._max_vcpus = max_vcpus
        self._used_vcpus = 0.0
        self._released = asyncio.Condition()
        self._on_log = on_log
        self._background = background or Background()

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        yield from check_name(task.arguments, "JobDefinition", self._definitions, "job definition")

    async def run(self, call: Call) -> Any:
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        name = known_name(arguments.get("JobDefinition"), self._definitions)
        if name is None:
            cause = f"JobDefinition not found: {arguments.get('JobDefinition')}"
            raise StateError("Batch.ClientException", cause)
        try:
            job = _Job(arguments, _with_overrides(self._definitions[name], arguments), call)
        except MISREAD as error:
            raise unusable(arguments, f"{type(error).__name__}: {error}") from error
        answer = {"JobArn": job.arn, "JobId": job.id, "JobName": job.name}
        if not call.resource.endswith(".sync"):
            self._background.start(self._work(job))
            return answer
        call.submitted(answer)
        await self._work(job)
        detail = job.describe()
        if not job.succeeded:
            raise StateError(TASK_FAILED, to_text(detail))
        return detail

    async def _work(self, job: _Job) -> None:
        async with self._vcpus(job.definition.vcpus):
            await self._attempts(job)

    async def _attempts(self, job: _Job) -> None:
        def on_line(line: str) -> None:
            if self._on_log is not None:
                self._on_log(job.arguments, line)

        for number in range(1, job.definition.attempts + 1):
            job.attempts.append(
                await run_attempt(job.definition, job.environment(number), on_line, job.call.now)
            )
            if job.succeeded:
                return

    @asynccontextmanager
    async def _vcpus(self, wanted: float) -> AsyncIterator[None]:
        """Hold ``wanted`` vCPUs."""
        ceiling = self._max_vcpus
        async with self._released:
            while ceiling is not None and self._used_vcpus and self._used_vcpus + wanted > ceiling:
                await self._released.wait()
            self._used_vcpus += wanted
        try:
            yield
        finally:
            self._used_vcpus -= wanted
            await self._wake()

    async def _wake(self) -> None:
        async with self._released:
            self._released.notify_all()


class _Job:
    """One submitted job."""

    def __init__(self, arguments: dict[str, Any], definition: JobDefinition, call: Call) -> None:
        self.arguments = arguments
        self.definition = definition
        self.call = call
        self.id = call.name
        self.name = str(arguments.get("JobName", call.name))
        self.queue = str(arguments.get("JobQueue", ""))
        self.arn = f"arn:aws:batch:{REGION}:{ACCOUNT}:job/{self.id}"
        self.created_at = call.now()
        self.attempts: list[Attempt] = []

    @property
    def succeeded(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].succeeded

    def environment(self, attempt: int) -> dict[str, str]:
        """What Batch tells a job: https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html."""
        return {
            "MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS",
            "AWS_BATCH_JOB_ID": self.id,
            "AWS_BATCH_JOB_ATTEMPT": str(attempt),
            "AWS_BATCH_JQ_NAME": self.queue,
        }

    def describe(self) -> dict[str, Any]:
        """DescribeJobs' JobDetail in PascalCase."""
        definition, last = self.definition, self.attempts[-1]
        declared = {"VCPU": definition.vcpus, "MEMORY": definition.memory_mib, "GPU": definition.gpus}
        resources = [{"Type": kind, "Value": f"{value:g}"} for kind, value in declared.items() if value]
        environment = definition.environment.items()
        container: dict[str, Any] = {
            "Command": list(definition.command),
            "Environment": [{"Name": name, "Value": value} for name, value in environment],
            "ResourceRequirements": resources,
            "LogStreamName": self.id,
        }
        if last.exit_code is not None:
            container["ExitCode"] = last.exit_code
        return {
            "JobArn": self.arn,
            "JobId": self.id,
            "JobName": self.name,
            "JobQueue": self.queue,
            "JobDefinition": str(self.arguments["JobDefinition"]),
            "Status": "SUCCEEDED" if self.succeeded else "FAILED",
            "StatusReason": last.reason,
            "Attempts": [self._attempt(attempt) for attempt in self.attempts],
            "Container": container,
            "CreatedAt": int(self.created_at * 1000),
            "StartedAt": int(last.started_at * 1000),
            "StoppedAt": int(last.stopped_at * 1000),
            "Parameters": self.arguments.get("Parameters", {}),
            "RetryStrategy": {"Attempts": definition.attempts, "EvaluateOnExit": []},
            "Tags": self.arguments.get("Tags", {}),
        }

    def _attempt(self, attempt: Attempt) -> dict[str, Any]:
        container: dict[str, Any] = {"LogStreamName": self.id}
        if attempt.exit_code is not None:
            container["ExitCode"] = attempt.exit_code
        return {
            "Container": container,
            "StartedAt": int(attempt.started_at * 1000),
            "StoppedAt": int(attempt.stopped_at * 1000),
            "StatusReason": attempt.reason,
        }


def _with_overrides(definition: JobDefinition, arguments: Mapping[str, Any]) -> JobDefinition:
    """The definition with what the submission overrides."""
    overrides = arguments.get("ContainerOverrides") or {}
    environment = {item["Name"]: str(item["Value"]) for item in overrides.get("Environment") or ()}
    requirements = overrides.get("ResourceRequirements") or ()
    resources = {item["Type"]: float(item["Value"]) for item in requirements}
    parameters = arguments.get("Parameters") or {}
    command = tuple(
        str(parameters.get(word.removeprefix("Ref::"), word)) if word.startswith("Ref::") else word
        for word in overrides.get("Command") or definition.command
    )
    return replace(
        definition,
        command=command,
        environment={**definition.environment, **environment},
        vcpus=resources.get("VCPU", definition.vcpus),
        memory_mib=int(resources["MEMORY"]) if "MEMORY" in resources else definition.memory_mib,
        gpus=int(resources.get("GPU", definition.gpus)),
        timeout_seconds=(arguments.get("Timeout") or {}).get(
            "AttemptDurationSeconds", definition.timeout_seconds
        ),
        attempts=int((arguments.get("RetryStrategy") or {}).get("Attempts", definition.attempts)),
    )


def batch_integrations(
    definitions: Mapping[str, JobDefinition],
    *,
    max_vcpus: float | None = None,
    on_log: OnJobLog | None = None,
    background: Background | None = None,
) -> dict[str, Integration]:
    """``batch:submitJob`` and ``batch:submitJob.sync``, for :class:`~stepweave.engine.engine.Engine`."""
    submit = SubmitJob(definitions, max_vcpus=max_vcpus, on_log=on_log, background=background)
    return {"batch:submitJob": submit, "batch:submitJob.sync": submit}

"""``ecs:runTask``, also with ``.sync`` and ``.waitForTaskToken``: the containers of a task as subprocesses.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stepweave.engine.failures import TASK_FAILED, StateError
from stepweave.engine.integrations.background import Background
from stepweave.engine.integrations.base import MISREAD, Call, Integration, check_name, unusable
from stepweave.engine.integrations.ecs_tasks import RunningTask
from stepweave.engine.integrations.names import known_name
from stepweave.engine.jobs import Attempt, JobDefinition, run_attempt
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.errors import Problem

OnContainerLog = Callable[[str, str, str], None]
"""Told each line that a container prints: the task's ARN, the container's name, the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a task definition."""

    name: str
    job: JobDefinition
    """Its command, environment and limits; ``attempts`` has no meaning here."""
    entry_point: tuple[str, ...] = ()
    """Comes before the command and is not replaced with it."""
    essential: bool = True
    """Whether its end is the end of the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """What a task runs."""

    containers: tuple[Container, ...]


class RunTask(Integration):
    """Runs tasks."""

    def __init__(
        self,
        definitions: Mapping[str, TaskDefinition],
        *,
        on_log: OnContainerLog | None = None,
        background: Background | None = None,
    ) -> None:
        """``definitions`` by family; ``background`` takes the tasks that no state waits for."""
        self._definitions = definitions
        self._on_log = on_log
        self._background = background or Background()

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        yield from check_name(task.arguments, "TaskDefinition", self._definitions, "task definition")

    async def run(self, call: Call) -> Any:
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        family = known_name(arguments.get("TaskDefinition"), self._definitions)
        if family is None:
            raise StateError("ECS.ClientException", "TaskDefinition not found.")
        try:
            containers = _with_overrides(self._definitions[family], arguments)
            names = [container.name for container in containers]
            task = RunningTask(family, names, arguments, call.name, call.now)
            answer = {"Failures": [], "Tasks": [task.describe()]}
        except MISREAD as error:
            raise unusable(arguments, f"{type(error).__name__}: {error}") from error
        if not call.resource.endswith(".sync"):
            self._background.start(self._work(task, containers))
            return answer
        call.submitted(answer)
        await self._work(task, containers)
        description = task.describe()
        if not _succeeded(task, containers):
            raise StateError(TASK_FAILED, to_text(description))
        return description

    async def _work(self, task: RunningTask, containers: tuple[Container, ...]) -> None:
        """Run the containers until an essential one ends; cancelled or at the end, all are killed."""
        task.started()
        running = {
            asyncio.create_task(self._container(task, container)): container for container in containers
        }
        left = set(running)
        try:
            while left:
                ended, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
                for work in ended:
                    task.ended(running[work].name, work.result())
                if any(running[work].essential for work in ended):
                    break
        finally:
            for work in left:
                work.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            task.stopped()

    async def _container(self, task: RunningTask, container: Container) -> Attempt:
        def on_line(line: str) -> None:
            if self._on_log is not None:
                self._on_log(task.arn, container.name, line)

        job = replace(container.job, command=(*container.entry_point, *container.job.command))
        return await run_attempt(job, {}, on_line, task.now)


def _succeeded(task: RunningTask, containers: tuple[Container, ...]) -> bool:
    """Whether no essential container failed; one that was stopped since another had ended did not fail."""
    essential = [container.name for container in containers if container.essential]
    return all(task.ends[name].succeeded for name in essential if name in task.ends)


def _with_overrides(definition: TaskDefinition, arguments: Mapping[str, Any]) -> tuple[Container, ...]:
    """The containers with what the call overrides; raises ``StateError`` for a container that is not there."""
    overrides = {
        str(override.get("Name")): override
        for override in (arguments.get("Overrides") or {}).get("ContainerOverrides") or ()
    }
    names = {container.name for container in definition.containers}
    for name in overrides:
        if name not in names:
            cause = f"Override for container named {name} is not a container in the TaskDefinition."
            raise StateError("ECS.InvalidParameterException", cause)
    return tuple(
        _overridden(container, overrides.get(container.name, {})) for container in definition.containers
    )


def _overridden(container: Container, override: Mapping[str, Any]) -> Container:
    job = container.job
    environment = {item["Name"]: str(item["Value"]) for item in override.get("Environment") or ()}
    job = replace(
        job,
        command=tuple(map(str, override.get("Command") or job.command)),
        environment={**job.environment, **environment},
        memory_mib=int(override["Memory"]) if override.get("Memory") else job.memory_mib,
    )
    return replace(container, job=job)


def ecs_integrations(
    definitions: Mapping[str, TaskDefinition],
    *,
    on_log: OnContainerLog | None = None,
    background: Background | None = None,
) -> dict[str, Integration]:
    """``ecs:runTask`` in all its forms, for :class:`~stepweave.engine.engine.Engine`."""
    run = RunTask(definitions, on_log=on_log, background=background)
    return {"ecs:runTask": run, "ecs:runTask.sync": run}

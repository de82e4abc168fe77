"""`RunningTask`: an ECS task, described as DescribeTasks does.

AWS: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepweave.engine.jobs import Attempt
from stepweave.engine.place import ACCOUNT, REGION

_HEAD = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


class RunningTask:
    """A task, from its start to its end."""

    def __init__(
        self,
        family: str,
        containers: Sequence[str],
        arguments: Mapping[str, Any],
        name: str,
        now: Callable[[], float],
    ) -> None:
        """``containers`` are the names of its containers, ``arguments`` those of RunTask; ``name`` is its id."""
        self._family = family
        self._containers = containers
        self._arguments = arguments
        self.now = now
        cluster = str(arguments.get("Cluster") or "default").rpartition("/")[2]
        self._cluster = f"{_HEAD}:cluster/{cluster}"
        self._id = name
        self.arn = f"{_HEAD}:task/{cluster}/{name}"
        self.ends: dict[str, Attempt] = {}
        """How containers ended that were not stopped, by name."""
        self._times = {"CreatedAt": now()}
        self._status = "PROVISIONING"

    def started(self) -> None:
        """Its containers start."""
        self._status = "RUNNING"
        self._times["StartedAt"] = self.now()

    def ended(self, container: str, attempt: Attempt) -> None:
        """A container has ended by itself."""
        self.ends[container] = attempt

    def stopped(self) -> None:
        """All its containers have ended."""
        self._status = "STOPPED"
        for field in ("StoppingAt", "ExecutionStoppedAt", "StoppedAt"):
            self._times[field] = self.now()

    def describe(self) -> dict[str, Any]:
        """ECS' Task in PascalCase, times in milliseconds."""
        answer: dict[str, Any] = {
            "ClusterArn": self._cluster,
            "Containers": [self._container(name) for name in self._containers],
            "DesiredStatus": "STOPPED" if self._status == "STOPPED" else "RUNNING",
            "Group": self._arguments.get("Group") or f"family:{self._family}",
            "LastStatus": self._status,
            "LaunchType": self._arguments.get("LaunchType") or "FARGATE",
            "Overrides": {"ContainerOverrides": [], **(self._arguments.get("Overrides") or {})},
            "StartedBy": self._arguments.get("StartedBy") or "AWS Step Functions",
            "Tags": self._arguments.get("Tags") or [],
            "TaskArn": self.arn,
            "TaskDefinitionArn": f"{_HEAD}:task-definition/{self._family}:1",
            **{field: int(at * 1000) for field, at in self._times.items()},
        }
        return answer | self._stop() if self._status == "STOPPED" else answer

    def _stop(self) -> dict[str, str]:
        unstarted = [end.reason for end in self.ends.values() if end.exit_code is None]
        if unstarted:
            return {"StopCode": "TaskFailedToStart", "StoppedReason": unstarted[0]}
        return {"StopCode": "EssentialContainerExited", "StoppedReason": "Essential container in task exited"}

    def _container(self, name: str) -> dict[str, Any]:
        container: dict[str, Any] = {
            "ContainerArn": f"{_HEAD}:container/{self._id}/{name}",
            "LastStatus": self._status if self._status != "PROVISIONING" else "PENDING",
            "Name": name,
            "TaskArn": self.arn,
        }
        end = self.ends.get(name)
        if end is None:
            return container
        if end.exit_code is None:
            return {**container, "LastStatus": "STOPPED", "Reason": end.reason}
        return {**container, "LastStatus": "STOPPED", "ExitCode": end.exit_code}

"""`check_endings`: tasks that would wait for ever here, for somebody who cannot reach this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stepweave.engine.integrations.base import TOKEN_SUFFIX, Integration, find_integration
from stepweave.engine.machine import Machine, Task
from stepweave.errors import DefinitionError, Problem

_SENDING = "aws-sdk:sfn:sendTask"
_POLLING = "aws-sdk:sfn:getActivityTask"
_HTTP = "http:invoke"


def check_endings(
    machines: Iterable[Machine], mocks: Mapping[str, Integration], *, virtual_time: bool
) -> None:
    """Nothing; raises ``DefinitionError`` with every task that nothing can end.

    A task that waits for its token or for a worker ends by a mock, by its time limit, or by a task of the machines
    that sends tokens. ``virtual_time``: whether there is no time in which a server could answer.
    """
    machines = tuple(machines)
    sent = any(
        task.resource.startswith((_SENDING, _POLLING)) for machine in machines for task in machine.tasks()
    )
    problems = [
        problem
        for machine in machines
        for task in machine.tasks()
        if find_integration(mocks, task) is None
        for problem in _problems(machine, task, sent, virtual_time)
    ]
    if problems:
        raise DefinitionError(problems)


def _problems(machine: Machine, task: Task, sent: bool, virtual_time: bool) -> Iterator[Problem]:
    where = f"{machine.name}/{task.name}"
    limits = (task.timeout_seconds, task.heartbeat_seconds, machine.timeout_seconds)
    waits = task.resource.endswith(TOKEN_SUFFIX) or task.resource == "activity"
    if waits and not sent and all(limit is None for limit in limits):
        what = "waits for a worker" if task.resource == "activity" else "waits for its task token"
        yield Problem(
            code="endless-task",
            what=f"the task {what}, and nothing here can end it",
            state=where,
            got=task.target or task.resource,
            fix="mock the state: what the mock returns is what would be sent back; or give it TimeoutSeconds",
        )
    if virtual_time and task.resource == _HTTP:
        yield Problem(
            code="virtual-time",
            what="in virtual time no server can answer",
            state=where,
            got=task.resource,
            fix="mock the state, or leave --virtual-time out",
        )

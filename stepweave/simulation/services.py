"""`Services`: what a simulated state machine calls: everything takes its time and succeeds with a null value."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from stepweave.embedded.calls import APPROVALS, RENDEZVOUS, TASK_RUNNER
from stepweave.embedded.rendezvous import EngineTokens, rendezvous_function
from stepweave.engine.engine import Engine
from stepweave.engine.events import Event
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.integrations.lambda_invoke import Function, lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.graph.model import Task
from stepweave.pricing.estimating import Work
from stepweave.simulation.assumptions import Assumptions

_CONTROL = ("prepare", "collect", "commit", "quorum", "notice", "read")
"""Marks of events for which no task runs."""


class Services:
    """Counts what is billed; a listener of the engine."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        jobs: Mapping[str, str],
        assumptions: Assumptions,
        dags: Collection[str],
    ) -> None:
        """``jobs``: the task of each job definition; ``dags``: of which an execution counts as a run."""
        self.transitions = self.executions = 0
        self.control_calls = 0
        self.gate_calls = 0
        self.task_calls: list[tuple[str, float]] = []
        """Task and seconds of each call."""
        self._tasks, self._jobs, self._assumptions, self._dags = tasks, jobs, assumptions, dags
        self._meet: Function | None = None
        self._tokens: EngineTokens | None = None
        self._pending: set[asyncio.Task[None]] = set()

    def __call__(self, event: Event) -> None:
        """Count a transition, or a run."""
        self.transitions += event.kind == "state_entered"
        self.executions += event.kind == "execution_started" and event.machine in self._dags

    def integrations(self) -> dict[str, Integration]:
        """What the machines call."""
        functions = {TASK_RUNNER: self._run_task, RENDEZVOUS: self._rendezvous, APPROVALS: self._approve}
        return {
            **lambda_integrations(functions),
            **start_execution_integrations(),
            "batch:submitJob.sync": _Jobs(self),
        }

    def connect(self, engine: Engine) -> None:
        """Let gates and approvals complete the task tokens of the engine."""
        self._meet, self._tokens = rendezvous_function(engine.tokens), EngineTokens(engine.tokens)

    def work(self) -> Work:
        """All that happened, as it is billed."""
        return Work(
            transitions=self.transitions,
            calls=tuple(self.task_calls),
            control_calls=self.control_calls,
            gate_calls=self.gate_calls,
            executions=self.executions,
        )

    async def spend(self, task: str, calls: int = 1) -> None:
        """Take the time of a task, so many times."""
        seconds = self._assumptions.seconds_of(task) * calls
        self.task_calls.append((task, seconds))
        await asyncio.sleep(seconds)

    def task_of(self, job_definition: str) -> str:
        """The task of a job."""
        return self._jobs[job_definition]

    async def _rendezvous(self, event: Any) -> Any:
        assert self._meet is not None, "connect() comes before the first gate"
        self.control_calls += 1
        self.gate_calls += 1
        return await self._meet(event)

    async def _approve(self, event: Any) -> Any:
        """Somebody approves after the time that the task takes."""
        self.control_calls += 1
        self.gate_calls += 1
        token = event.get("token")
        if token is not None:

            async def decide() -> None:
                await asyncio.sleep(self._assumptions.seconds_of(event["task"]))
                assert self._tokens is not None, "connect() comes before the first approval"
                self._tokens.send_success(token, _APPROVED)

            deciding = asyncio.create_task(decide())
            self._pending.add(deciding)
            deciding.add_done_callback(self._pending.discard)
        return {"answered": False}

    async def _run_task(self, event: Any) -> Any:
        task = self._tasks.get(event["task"])
        if task is None or any(event.get(mark) for mark in _CONTROL):
            self.control_calls += 1
            return {"uri": event["task"]} if event.get("prepare") else {"status": "success", "value": "null"}
        if "items" in event:
            return await self._list_items(task)
        if "batch" in event:
            number = int(event["run"]["index"].rpartition("/")[2])
            size = min(event["batch"], self._assumptions.items_of(task) - number * event["batch"])
            await self.spend(task.id, size)
            return {"status": "success", "items": "s" * size}
        await self.spend(task.id)
        if task.decides is not None:
            return {"status": "success", "value": "null", "chosen": [self._assumptions.case_of(task)]}
        return {"status": "success", "value": "null"}

    async def _list_items(self, task: Task) -> Any:
        self.control_calls += 1
        count = self._assumptions.items_of(task)
        size = (task.expansion.batch_size if task.expansion is not None else None) or 1
        return {"n": count, "b": -(-count // size)}


_APPROVED = '{"status": "success", "value": "null", "fields": {"approved": true}}'


class _Jobs(Integration):
    """Jobs that take the time of their task."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, call: Call) -> Any:
        """A job that succeeded."""
        await self._services.spend(self._services.task_of(call.arguments["JobDefinition"]))
        return {"Status": "SUCCEEDED"}

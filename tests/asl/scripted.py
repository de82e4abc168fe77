"""Runs a compiled graph in the engine on the virtual clock, with functions and jobs that a test writes down."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stepweave.compiler import Compiled, compile_graph
from stepweave.embedded.rendezvous import rendezvous_function
from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.failures import FunctionError, StateError
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.reading import read
from stepweave.engine.substitution import substitute
from stepweave.graph.model import DagInfo, FromTask, Graph, Task
from stepweave.validation.definition import validate

SUCCESS: dict[str, Any] = {"status": "success", "value": "1"}
"""The usual record."""

Answer = Callable[[dict[str, Any]], Any]
"""From the event of a function to its answer; an exception is its error. A tuple is (seconds, answer)."""


@dataclass(slots=True)
class Ran:
    """What happened."""

    compiled: Compiled
    execution: Execution
    states: list[str] = field(default_factory=list)
    """Names of the states entered."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """Payloads of the task runner, in order."""
    approvals: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    """Job definitions of the jobs that ran."""
    seconds: float = 0.0
    """Virtual length of the run."""

    @property
    def outcome(self) -> tuple[str, str | None]:
        return self.execution.status, self.execution.cause

    def of(self, task: str) -> list[dict[str, Any]]:
        """The events of ``task``."""
        return [event for event in self.events if event["task"] == task]

    @property
    def transitions(self) -> int:
        return len(self.states)


def error(name: str, **text: Any) -> FunctionError:
    """The error of a function as the runtime raises it, wrapped as Lambda does."""
    return FunctionError(name, json.dumps({"errorMessage": json.dumps(text), "errorType": name}))


def in_turn(*answers: Any) -> Callable[[dict[str, Any]], Any]:
    """A function that answers with each of ``answers`` in turn, and with the last for ever."""
    left: Iterator[Any] = iter(answers)
    latest = [answers[-1]]

    def answer(event: dict[str, Any]) -> Any:
        latest[0] = next(left, latest[0])
        return latest[0]

    return answer


def run_scripted(
    graph: Graph,
    answers: Mapping[str, Any] | None = None,
    *,
    jobs: Mapping[str, Any] | None = None,
    people: Answer | None = None,
    machines: Mapping[str, Mapping[str, Any]] | None = None,
    start: str = "",
    given: Mapping[str, Any] | None = None,
    lost: Sequence[Exception] = (),
) -> Ran:
    """``graph`` run; every definition is valid.

    Args:
        graph: The DAG.
        answers: Per task an answer, or a function from event to answer; others succeed.
        jobs: Per job definition the same, by its name; the event is that of the call.
        people: Answers the approvals; a tuple is (seconds, answer).
        machines: Further definitions, by the name of their substitution.
        start: Name of the machine that is run.
        given: The input.
        lost: What the first signals to gates come to, instead of arriving.
    """
    compiled = compile_graph(graph)
    clock = VirtualClock()
    run = Ran(compiled, None)  # type: ignore[arg-type]
    answers, jobs = answers or {}, jobs or {}

    async def run_task(event: Any) -> Any:
        run.events.append(event)
        return await _told(answers.get(event["task"], SUCCESS), event)

    async def ask(event: Any) -> Any:
        run.approvals.append(event)
        assert people is not None
        if "token" not in event:
            return await _told(people(event), event)

        async def decide() -> None:
            answer = await _told(people(event), event)
            if answer is not None:
                engine.tokens.send_success(event["token"], answer)

        deciding.append(asyncio.create_task(decide()))
        return {}

    async def meet(event: Any) -> Any:
        if "gates" in event and failures:
            raise failures.pop(0)
        return await rendezvous(event)

    deciding: list[asyncio.Task[None]] = []
    failures = list(lost)
    definitions = dict(compiled.machines.definitions)
    for definition in definitions.values():
        assert validate(definition) == ()
    functions = {"TaskRunner": run_task, "Approvals": ask, "Rendezvous": meet}
    integrations = (
        lambda_integrations(functions)
        | start_execution_integrations()
        | {"batch:submitJob.sync": _Jobs(jobs, run)}
    )
    all_machines = {f"Machine_{name}" if name else "root": body for name, body in definitions.items()}
    all_machines |= dict(machines or {})
    engine = Engine(
        {name: read(substitute(body, _Names(all_machines)), name) for name, body in all_machines.items()},
        integrations,
        clock=clock,
        listeners=[lambda event: _note(run, event)],
    )
    rendezvous = rendezvous_function(engine.tokens)
    run.execution = clock.run(engine.run(f"Machine_{start}" if start else "root", dict(given or {})))
    run.seconds = clock.elapsed
    return run


class _Names(dict[str, str]):
    """Substitutions: every function of a size is the one task runner, everything else has its own name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "TaskRunner" if re.fullmatch(r"TaskRunner\d*", name) else name

    def __init__(self, machines: Mapping[str, Any]) -> None:
        super().__init__({name: name for name in machines})


class _Jobs(Integration):
    def __init__(self, jobs: Mapping[str, Any], run: Ran) -> None:
        self._jobs, self._run = jobs, run

    async def run(self, call: Call) -> Any:
        name = call.arguments["JobDefinition"]
        self._run.jobs.append(name)
        try:
            return await _told(self._jobs.get(name, {"Status": "SUCCEEDED"}), call.arguments)
        except FunctionError as failure:
            raise StateError("States.TaskFailed", failure.cause) from failure


async def _told(answer: Any, event: Any) -> Any:
    if callable(answer):
        answer = answer(event)
    if isinstance(answer, tuple):
        seconds, answer = answer
        await asyncio.sleep(seconds)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _note(run: Ran, event: Any) -> None:
    if event.kind == "state_entered":
        run.states.append(event.state)


def task(id: str, *upstream: str, **options: Any) -> Task:
    """A task that takes the values of its upstream tasks."""
    arguments = tuple((up, FromTask(task=up)) for up in upstream)
    return Task(id=id, call=f"m:{id}", **{"upstream": upstream, "arguments": arguments, **options})


def dag(*tasks: Task, **info: Any) -> Graph:
    """A DAG of these tasks."""
    return Graph(dag=DagInfo(id="dag", **info), tasks=tasks)

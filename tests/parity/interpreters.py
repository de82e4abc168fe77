"""One scenario in two interpreters: our engine, and sfnx.testing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sfnx.testing as other

from stepweave.embedded.rendezvous import rendezvous_function
from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.failures import FunctionError, StateError
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.parsing import parse
from tests.parity.scenarios import (
    RENDEZVOUS,
    ROOT,
    RUN_NAME,
    Failure,
    Outcome,
    Scenario,
    call,
    plain_cause,
)

_START_EXECUTION = "states:startExecution.sync:2"
_SUBMIT_JOB = "batch:submitJob.sync"
_WAIT = "lambda:invoke.waitForTaskToken"


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What the rendezvous sent to the token of a gate."""

    output: Any = None
    error: str | None = None
    cause: str | None = None


class _Jobs(Integration):
    """``batch:submitJob.sync`` of our engine, answered by the scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._attempts: Counter[str] = Counter()

    async def run(self, submitted: Call) -> Any:
        submitted.submitted({"JobId": submitted.name})
        attempt = self._attempts[submitted.state]
        self._attempts[submitted.state] += 1
        try:
            return self._scenario.run_job(submitted.arguments, attempt)
        except Failure as failure:
            raise StateError(failure.error, failure.cause) from failure


def in_our_engine(scenario: Scenario) -> tuple[Outcome, dict[str, GateAnswer]]:
    """What our engine makes of ``scenario``, and how each gate was answered."""
    clock = VirtualClock()
    calls: Counter[str] = Counter()
    states: Counter[str] = Counter()
    gate_of: dict[str, str] = {}
    answers: dict[str, GateAnswer] = {}

    async def run_task(event: Any) -> Any:
        try:
            return scenario.run_task(event)
        except Failure as failure:
            raise FunctionError(failure.error, failure.cause) from failure

    async def meet(event: Any) -> Any:
        if "token" in event:
            gate_of[event["token"]] = event["gate"]
        return await rendezvous(event)

    def listen(event: Any) -> None:
        if event.kind == "state_entered":
            states[event.state] += 1
        elif event.kind == "task_scheduled":
            calls[call(event.resource, event.data)] += 1

    integrations: dict[str, Any] = {
        **lambda_integrations({**dict.fromkeys(scenario.task_runners(), run_task), RENDEZVOUS: meet}),
        **start_execution_integrations(),
        _SUBMIT_JOB: _Jobs(scenario),
    }
    machines = {name: parse(definition, name) for name, definition in scenario.definitions.items()}
    engine = Engine(machines, integrations, clock=clock, listeners=[listen])
    rendezvous = rendezvous_function(_recording(engine.tokens, gate_of, answers))
    execution = clock.run(engine.run(ROOT, scenario.input, RUN_NAME))
    status = "SUCCEEDED" if execution.status == "SUCCEEDED" else "FAILED"
    cause = plain_cause(execution.cause)
    return Outcome(status, execution.error, cause, execution.output, calls, states), answers


def _recording(tokens: Any, gate_of: Mapping[str, str], answers: dict[str, GateAnswer]) -> Any:
    """``tokens``, with each answer noted under the gate that it was for."""

    class Recording:
        def send_success(self, token: str, output: Any) -> None:
            answers.setdefault(gate_of[token], GateAnswer(output=output))
            tokens.send_success(token, output)

        def send_failure(self, token: str, error: str, cause: str) -> None:
            answers.setdefault(gate_of[token], GateAnswer(error=error, cause=cause))
            tokens.send_failure(token, error, cause)

    return Recording()


def in_sfnx(scenario: Scenario, answers: Mapping[str, GateAnswer]) -> Outcome:
    """What sfnx makes of ``scenario``.

    It runs branches one after another, so a gate cannot wait for a branch that comes later: each gate gets the
    answer that our rendezvous gave. That the signals behind the answers are sent is a matter of comparing calls.
    """
    calls: Counter[str] = Counter()
    states: Counter[str] = Counter()
    attempts: Counter[str] = Counter()

    def serve(made: other.Call) -> Any:
        arguments: Any = made.arguments
        calls[call(made.resource, arguments)] += 1
        resource = made.resource.removeprefix("arn:aws:states:::")
        try:
            if resource == _START_EXECUTION:
                return nested(arguments)
            if resource == _SUBMIT_JOB:
                attempts[made.state] += 1
                return scenario.run_job(arguments, attempts[made.state] - 1)
            if resource == _WAIT:
                return answered(answers[arguments["Payload"]["gate"]])
            if arguments["FunctionName"] == RENDEZVOUS:
                return {"Payload": {"opened": []}, "StatusCode": 200}
            return {"Payload": scenario.run_task(arguments["Payload"]), "StatusCode": 200}
        except Failure as failure:
            raise other.Failure(failure.error, failure.cause) from failure

    def nested(arguments: Any) -> Any:
        child = run(arguments["StateMachineArn"], arguments["Input"])
        if child.error is None:
            return {"Status": "SUCCEEDED", "Output": child.output}
        raise Failure(
            "States.TaskFailed",
            json.dumps({"Status": "FAILED", "Error": child.error, "Cause": child.cause}),
        )

    def run(machine: str, value: Any) -> other.Execution:
        execution = other.run(scenario.definitions[machine], value, serve)
        states.update(execution.states)
        return execution

    execution = run(ROOT, scenario.input)
    if execution.error is None:
        return Outcome("SUCCEEDED", None, "", execution.output, calls, states)
    return Outcome("FAILED", execution.error, plain_cause(execution.cause), None, calls, states)


def answered(answer: GateAnswer) -> Any:
    """The result of a gate's task; raises :class:`Failure`."""
    if answer.error is not None:
        raise Failure(answer.error, answer.cause or "")
    return answer.output

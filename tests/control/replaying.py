"""A drawn run once more in sfnx, an interpreter that others wrote: each call gets the answer that it got in our engine.

sfnx runs branches and items one after another and no time passes, so answers cannot come from a world that knows who
was first. They come from a recording instead: by what is called with which arguments, in the order of the attempts.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import sfnx.testing as other

from stepweave.compiler import Compiled
from stepweave.embedded.calls import TASK_RUNNER
from stepweave.engine.substitution import substitute
from tests.control.shapes import CHILD
from tests.parity.scenarios import ROOT, call, plain, plain_cause

START_EXECUTION = "states:startExecution.sync:2"
_TIMES = frozenset({"entered"})
"""Members of events that say when something was; in sfnx it is always the same moment."""


@dataclass(frozen=True, slots=True)
class Answer:
    output: Any = None
    error: str | None = None
    cause: str | None = None


@dataclass(slots=True)
class Recording:
    """A listener of the engine that keeps all calls with their answers, and the states entered."""

    calls: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    answers: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    _open: dict[tuple[str, int, str], str] = field(default_factory=dict)

    def listen(self, event: Any) -> None:
        if event.machine == CHILD:  # an execution of another DAG is one call here
            return
        place = (event.execution, event.line, event.state)
        match event.kind:
            case "state_entered":
                self.states[event.state] += 1
            case "task_scheduled":
                self._open[place] = described(event.resource, event.data)
                self.calls[self._open[place]] += 1
            case "task_succeeded":
                self.answers[self._open[place]].append(Answer(event.data))
            case "task_failed":
                self.answers[self._open[place]].append(Answer(None, event.error, event.cause))


@dataclass(frozen=True, slots=True)
class Replayed:
    """How the run ended in sfnx."""

    error: str | None
    cause: Any
    output: Any
    calls: Counter[str]
    states: Counter[str]


def described(resource: str, arguments: Any) -> str:
    """A call as text, without times."""
    return call(resource, _timeless(arguments))


def _timeless(value: Any) -> Any:
    match value:
        case dict():
            return {key: _timeless(inner) for key, inner in value.items() if key not in _TIMES}
        case list():
            return [_timeless(inner) for inner in value]
    return value


def replay(
    compiled: Compiled, params: Any, recording: Recording, changed: tuple[str, str] = ("", "")
) -> Replayed:
    """The compiled machines run in sfnx with the recorded answers; ``changed``: a part of them, and what it becomes."""
    definitions = _filled(compiled)
    if changed[0]:
        definitions = json.loads(json.dumps(definitions).replace(*changed))
    calls: Counter[str] = Counter()
    states: Counter[str] = Counter()
    answers = {key: deque(kept) for key, kept in recording.answers.items()}

    def serve(made: other.Call) -> Any:
        arguments: Any = made.arguments
        resource = made.resource.removeprefix("arn:aws:states:::")
        key = described(resource, arguments)
        calls[key] += 1
        if resource == START_EXECUTION and arguments["StateMachineArn"] in definitions:
            return nested(arguments)
        if not answers.get(key):
            raise other.Failure("Replay.NeverCalled", key)
        answer = answers[key].popleft()
        if answer.error is not None:
            raise other.Failure(answer.error, answer.cause or "")
        return answer.output

    def nested(arguments: Any) -> Any:
        child = run(arguments["StateMachineArn"], arguments["Input"])
        if child.error is None:
            return {"Status": "SUCCEEDED", "Output": child.output}
        told = {"Status": "FAILED", "Error": child.error, "Cause": child.cause}
        raise other.Failure("States.TaskFailed", json.dumps(told))

    def run(machine: str, value: Any) -> other.Execution:
        execution = other.run(definitions[machine], value, serve)
        states.update(execution.states)
        return execution

    execution = run(ROOT, {"params": params})
    output = None if execution.error is not None else execution.output
    return Replayed(execution.error, plain_cause(execution.cause), output, calls, states)


def _filled(compiled: Compiled) -> dict[str, Any]:
    """The definitions by the names by which machines call them, as the engine knows them."""
    dag = compiled.graph.dag.id
    mapping = {f"Machine_{name}": f"{dag}.{name}" for name in compiled.machines.definitions}
    filled: dict[str, Any] = {}
    for name, definition in compiled.machines.definitions.items():
        for part in json.dumps(definition).split("${")[1:]:
            placeholder = part.split("}")[0]
            function = TASK_RUNNER if placeholder.startswith(TASK_RUNNER) else placeholder
            mapping.setdefault(placeholder, function.removeprefix("Dag_"))
        filled[f"{dag}.{name}" if name else ROOT] = substitute(definition, mapping)
    return filled


def disagreements(
    compiled: Compiled, params: Any, recording: Recording, execution: Any, changed: tuple[str, str] = ("", "")
) -> list[str]:
    """Everything in which sfnx does otherwise than our engine did."""
    theirs = replay(compiled, params, recording, changed)
    found = []
    if (execution.error, plain_cause(execution.cause)) != (theirs.error, theirs.cause):
        found.append(
            f"ended with {execution.error} {execution.cause}, in sfnx with {theirs.error} {theirs.cause}"
        )
    if execution.error is None and plain(execution.output) != plain(theirs.output):
        found.append(f"output {execution.output}, in sfnx {theirs.output}")
    for what, ours, replayed in (
        ("state", recording.states, theirs.states),
        ("call", recording.calls, theirs.calls),
    ):
        for name in sorted((ours - replayed) | (replayed - ours)):
            found.append(f"{what} {name}: {ours[name]} times, in sfnx {replayed[name]}")
    return found

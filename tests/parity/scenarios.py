"""A scenario: state machines and what the services that they call answer, for any interpreter.

Scenario = (definitions, answers)          machines by name, the root (``root``) first, placeholders filled in
Answers  = task → what each attempt ends with
Outcome  = (status, error, cause, output, calls, states)
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.engine.substitution import substitute

ROOT = "root"
RUN_NAME = "execution"
"""Name of every execution in sfnx."""
RENDEZVOUS = "Rendezvous"
_FUNCTION = re.compile(r'"FunctionName": "(\w+)"')
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
_FROM_ELSEWHERE = frozenset({"token", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"})
"""Members of arguments that each interpreter makes up for itself."""


class Failure(Exception):
    """A service answers with an error."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


@dataclass(frozen=True, slots=True)
class Ending:
    """How the attempts of one task end."""

    record: Any = None
    """What the attempt that succeeds answers; None for a record with all the parts that are asked for."""
    errors: tuple[tuple[str, str], ...] = ()
    """Error and cause of each attempt that fails."""
    never: bool = False
    """No attempt succeeds: all that follow fail with the last error."""
    reused: bool = False
    """A Batch task whose result is there already."""

    def check(self, attempt: int) -> None:
        """Raises :class:`Failure` when ``attempt`` fails."""
        if self.errors and (self.never or attempt < len(self.errors)):
            raise Failure(*self.errors[min(attempt, len(self.errors) - 1)])


@dataclass(frozen=True, slots=True)
class Scenario:
    """What runs, and in which world."""

    definitions: Mapping[str, dict[str, Any]] = field(repr=False)
    endings: Mapping[str, Ending] = field(default_factory=dict)
    input: Any = field(default_factory=dict)
    fail_fast: bool = False

    def task_runners(self) -> set[str]:
        """Names of the functions that run tasks; there is one for each size of memory."""
        return set(_FUNCTION.findall(json.dumps(self.definitions))) - {RENDEZVOUS}

    def run_task(self, event: Mapping[str, Any]) -> Any:
        """What the task runner answers to ``event``; raises :class:`Failure`."""
        ending = self._ending(event["task"])
        if event.get("prepare"):
            if ending.reused:
                raise Failure("Reused", "{}")
            return {"uri": f"runs/{event['task']}/input.json"}
        if not event.get("collect"):
            ending.check(event["attempt"])
        elif ending.never:
            raise Failure(*ending.errors[-1])
        return ending.record or _record(event)

    def run_job(self, arguments: Mapping[str, Any], attempt: int) -> Any:
        """What attempt ``attempt`` of a Batch job ends with; a job that fails is always ``States.TaskFailed``."""
        try:
            self._ending(arguments["JobName"]).check(attempt)
        except Failure as failure:
            raise Failure("States.TaskFailed", json.dumps({"StatusReason": failure.error})) from failure
        return {"JobName": arguments["JobName"], "Status": "SUCCEEDED"}

    def _ending(self, task: str) -> Ending:
        return self.endings.get(task, Ending())


def _record(event: Mapping[str, Any]) -> dict[str, Any]:
    """A record of success with every field that ``event`` asks for."""
    fields = {".".join(map(str, path)): 0.97 for path in json.loads(event.get("fields", "[]"))}
    return {"status": "success", "value": json.dumps(event["task"])} | ({"fields": fields} if fields else {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an interpreter did."""

    status: str
    error: str | None
    cause: Any
    output: Any
    calls: Counter[str]
    """Every call of a service, as JSON text of (resource, arguments)."""
    states: Counter[str]
    """Every state entered, by name."""


def scenario(
    definitions: Mapping[str, Mapping[str, Any]],
    endings: Mapping[str, Ending] | None = None,
    value: Any = None,
    *,
    fail_fast: bool = False,
) -> Scenario:
    """The scenario of compiled ``definitions`` (the root named ``""``), each placeholder replaced by its own name."""
    names = set(_PLACEHOLDER.findall(json.dumps(definitions)))
    mapping = {name: name for name in names}
    filled = {
        f"Machine_{name}" if name else ROOT: substitute(definition, mapping)
        for name, definition in definitions.items()
    }
    return Scenario(filled, endings or {}, {} if value is None else value, fail_fast)


def call(resource: str, arguments: Any) -> str:
    """A call as text that is the same whoever made it."""
    return json.dumps([resource.removeprefix("arn:aws:states:::"), plain(arguments)], sort_keys=True)


def plain(value: Any) -> Any:
    """``value`` without what differs between interpreters by right; JSON knows one kind of number, so 1.0 is 1."""
    match value:
        case bool():
            return value
        case int() | float():
            whole = abs(value) < 2**53 and float(value).is_integer()
            return int(value) if whole else float(value)
        case Mapping():
            return {key: plain(inner) for key, inner in value.items() if key not in _FROM_ELSEWHERE}
        case list() | tuple():
            return [plain(inner) for inner in value]
    return value


def plain_cause(cause: str | None) -> Any:
    """A cause without times and ARNs: of a nested execution only how it ended, nested as deep as it is."""
    try:
        described = json.loads(cause or "")
    except ValueError:
        return cause or ""
    if isinstance(described, dict) and described.get("Status") == "FAILED" and "Error" in described:
        return {"Error": described["Error"], "Cause": plain_cause(described.get("Cause"))}
    return cause

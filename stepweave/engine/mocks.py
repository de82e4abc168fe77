"""`Mock`: answers in place of a service, and `place`: which mock serves which task.

A mock has a key: the name of a state, the name of a function, a resource (``dynamodb:putItem``, with or without the
ARN's head) or a pattern with ``*`` at its end (``dynamodb:*``). The nearer key wins, in this order.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration, constant_of
from stepweave.engine.integrations.lambda_invoke import Function, lambda_integrations
from stepweave.engine.integrations.names import known_name
from stepweave.engine.machine import Machine, Task
from stepweave.errors import DefinitionError, Problem

Outcome: TypeAlias = Callable[[Any], Awaitable[Any]]
"""From the arguments of one call to its result; raises ``StateError``."""

_ARN_HEAD = re.compile(r"^arn:[^:]*:states:[^:]*:[^:]*:")
_FUNCTION = "lambda:function"
_INVOKE = "lambda:invoke"
_WAITING = (TOKEN_SUFFIX, ".sync:2", ".sync")
_MOST_NAMED = 12


class Mock(Integration):
    """Gives its outcomes in turn, one per call, whatever is called."""

    fake = True

    def __init__(self, name: str, outcomes: Sequence[Outcome], *, repeats: bool = True) -> None:
        """``repeats``: whether the last outcome serves all later calls; else they fail with ``States.Runtime``."""
        self.name = name
        self._outcomes = tuple(outcomes)
        self._repeats = repeats
        self.calls = 0
        """Calls so far."""

    async def run(self, call: Call) -> Any:
        return await self.answer(call.arguments)

    async def answer(self, arguments: Any) -> Any:
        """The outcome of the next call."""
        number = self.calls
        self.calls += 1
        if number >= len(self._outcomes):
            if not self._repeats:
                cause = f"the mock {self.name!r} has no response for call {number}: its last is {number - 1}"
                raise StateError(RUNTIME, cause)
            number = -1
        return await self._outcomes[number](arguments)


class _TokenMock(Integration):
    """A function that is to send its task token: the mock's outcome is what it sends."""

    fake = True

    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    async def run(self, call: Call) -> Any:
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        return await self._mock.answer(arguments.get("Payload", {}))


@dataclass(slots=True, kw_only=True)
class Placed:
    """What the mocks of a run add to an engine."""

    integrations: dict[str, Integration] = field(default_factory=dict)
    """By state or by resource; they go before all others."""
    functions: dict[str, Function] = field(default_factory=dict)
    """Functions by name, for tasks that compute the name."""
    by_task: dict[tuple[str, str], Mock] = field(default_factory=dict)
    """The mock of each task, by the names of its machine and its state."""

    def called(self, machine: str, state: str) -> None:
        """Count a call that a task made before its execution was left, so that the next gets the next outcome."""
        if (mock := self.by_task.get((machine, state))) is not None:
            mock.calls += 1


def place(
    mocks: Mapping[str, Mock],
    machines: Iterable[Machine],
    *,
    file: str | None = None,
    idle_resources: bool = False,
) -> Placed:
    """Where each mock goes. Raises ``DefinitionError`` for every mock that serves no task.

    ``file`` is where the mocks come from; ``idle_resources`` lets a mock of a resource or a pattern serve none.
    """
    placing = _Placing(mocks)
    for machine in machines:
        for task in machine.tasks():
            placing.add(task, machine.name)
        placing.others.update(_other_states(machine))
    problems = [*placing.problems, *placing.unused(idle_resources)]
    if problems:
        raise DefinitionError(replace(problem, file=file) for problem in problems)
    return placing.placed


class _Placing:
    """Assigns tasks to mocks, one after another."""

    def __init__(self, mocks: Mapping[str, Mock]) -> None:
        self._mocks = mocks
        self._resources = {_ARN_HEAD.sub("", key): key for key in mocks}
        self._patterns = sorted((key for key in self._resources if key.endswith("*")), key=len, reverse=True)
        self._used: set[str] = set()
        self._claimed: dict[str, str | None] = {}
        """The mock that serves the tasks of each state name, None for those that no mock of a function serves."""
        self._known: dict[str, None] = {}
        self._computes_names = False
        self.others: dict[str, str] = {}
        """Type of each state that is no Task, by name."""
        self.placed = Placed()
        self.problems: list[Problem] = []

    def add(self, task: Task, machine: str) -> None:
        """Find the mock of one task."""
        function = _function_of(task)
        self._known |= dict.fromkeys(filter(None, (task.name, function, task.resource)))
        by_function, by_resource = known_name(function, self._mocks), self._by_resource(task)
        # A mock to which a nearer one leaves nothing is no mistake: a test replaces some of those that a suite shares.
        self._used.update(filter(None, (by_function, by_resource)))
        key = task.name if task.name in self._mocks else by_function or by_resource
        if key is not None:
            self.placed.by_task[machine, task.name] = self._mocks[key]
        if task.name in self._mocks:
            self._use(task.name, f"state:{task.name}")
            return
        self._claim(task, machine, by_function)
        if by_function is not None:
            mock = self._mocks[by_function]
            serving = lambda_integrations({by_function: mock.answer})
            token = task.resource.endswith(TOKEN_SUFFIX)
            self.placed.integrations[f"state:{task.name}"] = (
                _TokenMock(mock) if token else serving[task.resource]
            )
        elif by_resource is not None:
            self._use(by_resource, task.resource)
        elif function is None and task.resource.startswith(_INVOKE):
            self._computes_names = True
            self.placed.functions = {name: mock.answer for name, mock in self._mocks.items()}

    def unused(self, idle_resources: bool) -> Iterable[Problem]:
        """The problems of mocks that no task calls."""
        for key in self._mocks:
            resource = ":" in key or key.endswith("*")
            if key in self._used or (idle_resources and resource) or (self._computes_names and not resource):
                continue
            known = list(self._known)
            near = difflib.get_close_matches(key, known, n=1)
            shown = [repr(name) for name in known[:_MOST_NAMED]]
            yield Problem(
                code="unknown-mock",
                what=f"the state {key!r} is a {self.others[key]} and calls nothing"
                if key in self.others
                else f"no task is mocked by {key!r}",
                expected="the name of a Task state, a function, or a resource: " + ", ".join(shown)
                if known
                else "no mock: the definition has no Task",
                got=key,
                fix=f"write {near[0]!r}"
                if near
                else "remove the mock, or give it the name of what it stands for",
            )

    def _use(self, key: str, place: str) -> None:
        self._used.add(key)
        self.placed.integrations[place] = self._mocks[key]

    def _claim(self, task: Task, machine: str, key: str | None) -> None:
        """One entry of the engine serves all states of a name; say so where two machines would need two."""
        if self._claimed.setdefault(task.name, key) != key:
            self.problems.append(
                Problem(
                    code="ambiguous-mock",
                    what="states of this name in two machines call different functions, and one of them is mocked",
                    state=f"{machine}/{task.name}",
                    fix=f"mock the state by its name, {task.name!r}",
                )
            )

    def _by_resource(self, task: Task) -> str | None:
        for name in filter(None, (*_names(task.resource), task.target, _ARN_HEAD.sub("", task.target))):
            if name in self._resources:
                return self._resources[name]
        pattern = next((key for key in self._patterns if task.resource.startswith(key[:-1])), None)
        return None if pattern is None else self._resources[pattern]


def _names(resource: str) -> Iterable[str]:
    """The resource, and without what says how it is waited for."""
    yield resource
    for suffix in _WAITING:
        if resource.endswith(suffix):
            yield resource.removesuffix(suffix)


def _function_of(task: Task) -> str | None:
    """The function that a task names as a constant; None when there is none."""
    if task.resource == _FUNCTION:
        return task.target
    if task.resource.removesuffix(TOKEN_SUFFIX) != _INVOKE:
        return None
    name = constant_of(task.arguments, "FunctionName")
    return name if isinstance(name, str) else None


def _other_states(machine: Machine) -> dict[str, str]:
    """Type of each state that calls nothing, by name."""
    return {state.name: type(state).__name__ for state in machine.states() if not isinstance(state, Task)}

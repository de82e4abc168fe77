"""`Integration`: what a Task state calls, `Call`: one call of it, and which integration serves which task."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.integrations.names import known_name
from stepweave.engine.machine import Task
from stepweave.engine.payload import to_text
from stepweave.engine.templates import ObjectTemplate, Template
from stepweave.errors import Problem

if TYPE_CHECKING:
    from stepweave.engine.execution import Execution

StartMachine = Callable[..., "Execution"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt of a Task."""

    resource: str
    """What is called, without the ARN's head."""
    target: str = ""
    """The ARN that ``Resource`` names itself (activities, functions); empty otherwise."""
    arguments: Any
    execution: Execution
    state: str
    token: str | None
    """The task's token; None for calls that have none."""
    submitted: Callable[[Any], None]
    """To be told the answer of the submission, once, by an integration that waits after it (``.sync``)."""
    run_machine: Callable[..., Awaitable[Execution]]
    """``Engine.run``, for nested executions."""
    start_machine: StartMachine
    """``Engine.start``: the same without waiting."""
    name: str
    """A name for what the call starts, unique in the engine and the same in every run."""
    now: Callable[[], float]
    timeout_seconds: float | None = None
    """Time limit of the attempt; the engine keeps it, unless the integration keeps time itself."""


class Integration:
    """Calls a service. One object serves every Task of its resource, several at once."""

    fake = False
    """Whether ``run`` gives the task's result even where the service would only take the call
    (``.waitForTaskToken``): a stand-in of a test or a mock file."""

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        """What is wrong with ``task``, before anything runs; ``machines`` are the engine's."""
        return ()

    def keeps_time(self, resource: str) -> bool:
        """Whether calls of ``resource`` keep their time limits themselves, by another clock than the engine's."""
        return False

    async def run(self, call: Call) -> Any:
        """The result (JSON data); raises ``StateError``.

        With ``.waitForTaskToken`` this is the answer to the submission; the task goes on until its token comes back.
        """
        raise NotImplementedError


TOKEN_SUFFIX = ".waitForTaskToken"


def find_integration(integrations: Mapping[str, Integration], task: Task) -> Integration | None:
    """What serves ``task``: by ``state:NAME``, its resource, that without ``.waitForTaskToken``, or a pattern.

    A pattern is a key with ``*`` at its end; the longest that fits is taken.
    """
    for key in (f"state:{task.name}", task.resource, task.resource.removesuffix(TOKEN_SUFFIX)):
        if key in integrations:
            return integrations[key]
    patterns = [key for key in integrations if key.endswith("*") and task.resource.startswith(key[:-1])]
    return integrations[max(patterns, key=len)] if patterns else None


def unusable(arguments: Any, *reasons: str) -> StateError:
    """The error of arguments that a service cannot be called with, as AWS says it; nothing catches it."""
    texts = ", ".join(reasons)
    cause = f"The Parameters '{to_text(arguments)}' could not be used to start the Task: [{texts}]"
    return StateError(RUNTIME, cause)


MISREAD = (AttributeError, KeyError, TypeError, ValueError)
"""What reading arguments of a wrong form raises."""


def constant_of(arguments: Template | None, field: str) -> Any:
    """The value of a field that is a constant; None when it is absent or computed."""
    if arguments is None:
        return None
    match arguments:
        case ObjectTemplate(value=value) if any(key == field for key, _ in arguments.dynamic):
            return None
        case Template(value=value) if isinstance(value, Mapping):
            return value.get(field)
    return None


def check_name(arguments: Template | None, field: str, known: Iterable[str], what: str) -> Iterable[Problem]:
    """The problem of a constant ``field`` that means no known thing, neither by name nor by ARN."""
    name = constant_of(arguments, field)
    names = frozenset(known)
    if name is not None and known_name(name, names) is None:
        yield unknown_name(field, name, names, what)


def unknown_name(field: str, name: object, known: Iterable[str], what: str) -> Problem:
    """The problem of a ``field`` whose value ``name`` means none of ``known``."""
    return Problem(
        code="unknown-resource",
        what=f"{field} names no {what} of this engine",
        expected=", ".join(sorted(known)) or f"no {what} is known",
        got=str(name),
        fix=f"give the engine a {what} of this name, or substitute the placeholder first",
    )

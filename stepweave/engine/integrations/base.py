"""`Integration`: what a Task state calls, and `Call`: one call of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stepweave.engine.templates import ObjectTemplate, Template
from stepweave.errors import Problem

if TYPE_CHECKING:
    from stepweave.engine.execution import Execution

RunMachine = Callable[..., "Awaitable[Execution]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt of a Task."""

    arguments: Any
    execution: Execution
    state: str
    submitted: Callable[[Any], None]
    """To be told the answer of the submission, once, by an integration that waits after it."""
    start_machine: RunMachine
    """``Engine.run``, for nested executions."""
    name: str
    """A name for what the call starts, unique in the engine and the same in every run."""
    now: Callable[[], float]


class Integration(Protocol):
    """Calls a service."""

    waits_for_token: bool
    """Whether the task ends when its token is sent back (``.waitForTaskToken``)."""

    def check(self, arguments: Template | None, machines: Iterable[str]) -> Iterable[Problem]:
        """What is wrong with a Task's arguments, before anything runs; ``machines`` are the engine's."""

    async def run(self, call: Call) -> Any:
        """The result (JSON data); raises ``StateError``."""


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
    """The problem of a constant ``field`` that names no known thing."""
    name = constant_of(arguments, field)
    names = sorted(known)
    if name is not None and name not in names:
        yield Problem(
            code="unknown-resource",
            what=f"{field} names no {what} of this engine",
            expected=", ".join(names) or f"no {what} is known",
            got=str(name),
            fix=f"give the engine a {what} of this name, or substitute the placeholder first",
        )

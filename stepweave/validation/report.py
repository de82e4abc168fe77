"""Where a state is, and the list of what was found wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stepweave.errors import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """One machine: the top level, a branch of a Parallel, or the processor of a Map. Variables live in it."""

    machine: Mapping[str, Any]
    parent: Scope | None = None
    state: str = ""
    """The state of ``parent`` that holds this machine."""
    place: str = ""
    """Which of that state's machines: ``[0]`` a branch, ``[*]`` the processor of a Map."""
    isolated: bool = False
    """Whether the variables of outer scopes cannot be read here (a Distributed Map)."""
    express: bool = False
    """Whether it runs in an Express execution (an iteration of a Distributed Map, and all that is inside it)."""

    def path(self, state: str = "") -> str:
        """Path of ``state`` from the top, e.g. ``branches 1[0]/load_orders``."""
        steps = [state]
        scope = self
        while scope.parent is not None:
            steps.append(scope.state + scope.place)
            scope = scope.parent
        return "/".join(reversed(steps)).rstrip("/") if len(steps) > 1 else state


class Add(Protocol):
    """How the check of one state reports."""

    def __call__(
        self, code: str, what: str, *, expected: str | None = None, got: object = None, fix: str | None = None
    ) -> None: ...


class Report:
    """Collects problems; knows how the definition is called."""

    def __init__(self, name: str) -> None:
        self._file = name or None
        self.problems: list[Problem] = []

    def add(
        self,
        code: str,
        what: str,
        scope: Scope,
        state: str = "",
        *,
        expected: str | None = None,
        got: object = None,
        fix: str | None = None,
    ) -> None:
        """Note one problem of ``state`` (of the machine itself where empty)."""
        self.at(scope.path(state), code, what, expected=expected, got=got, fix=fix)

    def at(
        self,
        path: str,
        code: str,
        what: str,
        *,
        expected: str | None = None,
        got: object = None,
        fix: str | None = None,
    ) -> None:
        """Note one problem of the state with this path (of the whole definition where empty)."""
        self.problems.append(
            Problem(
                what=what,
                code=code,
                file=self._file,
                state=path or None,
                expected=expected,
                got=None if got is None else shorten(got),
                fix=fix,
            )
        )


def shorten(value: object) -> str:
    """``value`` as text of at most 80 characters; text itself is not quoted."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:79] + "…"

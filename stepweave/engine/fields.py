"""Access to the fields of a state while a definition is read: data compiled, the rest as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stepweave.engine.jsonata import ExpressionError
from stepweave.engine.templates import Template, compile_template, holds_inexact_number
from stepweave.errors import Problem


class Place(NamedTuple):
    """A state that holds blocks, and which of its blocks this is."""

    outer: Place | None
    state: str
    block: str
    """``[0]`` a branch, ``[*]`` the processor of a Map."""


class Notes:
    """What reading a definition found: its problems, and whether it holds numbers that JSONata would change."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self.problems: list[Problem] = []
        self.inexact = False

    def add(self, place: Place | None, state: str, where: str, error: ExpressionError) -> None:
        """Note an expression that does not compile."""
        steps = [state]
        while place is not None:
            steps.append(place.state + place.block)
            place = place.outer
        what = f"{where} is not a JSONata expression: {error}"
        fix = "write JSONata between {% and %}"
        path = "/".join(reversed(steps))
        self.problems.append(
            Problem(code="expression-syntax", what=what, file=self.machine, state=path, fix=fix)
        )


class Fields:
    """The fields of one state, or of an object inside it."""

    __slots__ = ("_notes", "_prefix", "name", "place", "source")

    def __init__(
        self, source: Mapping[str, Any], name: str, place: Place | None, notes: Notes, prefix: str = ""
    ) -> None:
        self.source = source
        self.name = name
        self.place = place
        self._notes = notes
        self._prefix = prefix

    def inside(self, field: str) -> Fields | None:
        """The fields of the object in ``field``; None when the state has none."""
        source = self.source.get(field)
        return None if source is None else self._of(source, field)

    def each(self, field: str) -> Iterator[Fields]:
        """The fields of each object in the list ``field``."""
        for index, source in enumerate(self.source.get(field, ())):
            yield self._of(source, f"{field}[{index}]")

    def _of(self, source: Mapping[str, Any], where: str) -> Fields:
        return Fields(source, self.name, self.place, self._notes, f"{self._prefix}{where}/")

    def template(self, field: str) -> Template | None:
        """The compiled field; None when there is none."""
        return self.compile(self.source[field], field) if field in self.source else None

    def compile(self, value: Any, where: str) -> Template:
        """Compiled data; an expression that is none is noted."""
        where = self._prefix + where
        try:
            template = compile_template(value, where)
        except ExpressionError as error:
            self._notes.add(self.place, self.name, where, error)
            return Template(None)
        if not isinstance(value, str) and not self._notes.inexact:
            self._notes.inexact = holds_inexact_number(value)
        return template

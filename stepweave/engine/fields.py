"""Which fields each state type has in JSONata mode, and typed access to them while a definition is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepweave.engine.jsonata import ExpressionError
from stepweave.engine.templates import Template, compile_template, holds_inexact_number
from stepweave.errors import Problem

_COMMON = frozenset({"Type", "Comment", "QueryLanguage", "Output", "Assign"})
_STEP = _COMMON | {"Next", "End"}
_FALLIBLE = _STEP | {"Arguments", "Retry", "Catch"}

ALLOWED: Mapping[str, frozenset[str]] = {
    "Task": _FALLIBLE | {"Resource", "TimeoutSeconds", "HeartbeatSeconds"},
    "Pass": _STEP,
    "Choice": _COMMON | {"Choices", "Default"},
    "Wait": _STEP | {"Seconds", "Timestamp"},
    "Succeed": _COMMON - {"Assign"},
    "Fail": frozenset({"Type", "Comment", "QueryLanguage", "Error", "Cause"}),
    "Parallel": _FALLIBLE | {"Branches"},
    "Map": (_FALLIBLE - {"Arguments"}) | {"Items", "ItemProcessor", "ItemSelector", "MaxConcurrency"},
}
"""Field names by state type: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html."""

REQUIRED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Task": (("Resource",),),
    "Choice": (("Choices",),),
    "Wait": (("Seconds", "Timestamp"),),
    "Parallel": (("Branches",),),
    "Map": (("ItemProcessor",),),
}
"""Of each tuple exactly one is given."""

FORBIDDEN = frozenset(
    {
        "InputPath",
        "Parameters",
        "ResultSelector",
        "ResultPath",
        "OutputPath",
        "ItemsPath",
        "Result",
        "Variable",
    }
    | {"SecondsPath", "TimestampPath", "ErrorPath", "CausePath", "TimeoutSecondsPath", "HeartbeatSecondsPath"}
    | {"MaxConcurrencyPath"}
)
"""Fields of JSONPath mode."""

NOT_SUPPORTED = frozenset(
    {
        "ToleratedFailureCount",
        "ToleratedFailurePercentage",
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "Label",
    }
    | {"Credentials"}
)
"""Fields of JSONata mode that this engine does not run yet; refused, never ignored."""


class Report:
    """What reading a definition found: its problems, and whether it holds numbers that JSONata would change."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self.problems: list[Problem] = []
        self.inexact = False

    def problem(self, code: str, what: str, state: str | None = None, **details: str | None) -> None:
        """Note a problem of a state, or of the whole machine."""
        where = f"{self.machine}/{state}" if state else self.machine
        self.problems.append(Problem(code=code, what=what, state=where, **details))  # type: ignore[arg-type]


class Fields:
    """The fields of one state."""

    def __init__(self, source: Mapping[str, Any], name: str, report: Report) -> None:
        self.source = source
        self.name = name
        self._report = report

    def template(self, field: str) -> Template | None:
        """The compiled field; None when the state has none."""
        return self.compile(self.source[field], field) if field in self.source else None

    def compile(self, value: Any, where: str) -> Template:
        """Compiled data; a wrong expression is a problem."""
        try:
            template = compile_template(value, where)
        except ExpressionError as error:
            fix = "write JSONata between {% and %}"
            self._report.problem(
                "jsonata", f"{where} is not a JSONata expression: {error}", self.name, fix=fix
            )
            return Template(None)
        if not isinstance(value, str) and not self._report.inexact:
            self._report.inexact = holds_inexact_number(value)
        return template

    def seconds(self, field: str, least: int) -> Template | None:
        """A compiled duration; a constant below ``least`` is a problem."""
        template = self.template(field)
        if template is not None and template.constant:
            self.number(self.source, field, least, least)
        return template

    def array(self, field: str) -> Iterator[Any]:
        """The items of a list field; anything else is a problem."""
        given = self.source.get(field, ())
        if isinstance(given, list | tuple):
            yield from given
        else:
            self._report.problem("field-value", f"{field} is not a list", self.name, got=repr(given))

    def objects(self, field: str, *required: str) -> Iterator[Mapping[str, Any]]:
        """The objects of a list field; one that lacks a required key is a problem and left out."""
        for index, item in enumerate(self.array(field)):
            missing = [key for key in required if not isinstance(item, Mapping) or key not in item]
            if missing:
                self._report.problem("field", f"{field}[{index}] has no {', '.join(missing)}", self.name)
            else:
                yield item

    def number(self, source: Mapping[str, Any], field: str, default: float, least: float) -> float:
        """A number field of a retrier, at least ``least``."""
        value = source.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            self._report.problem(
                "field-value",
                f"{field} is out of range",
                self.name,
                expected=f"from {least:g}",
                got=repr(value),
            )
            return default
        return value


def some(names: Mapping[str, Any]) -> str:
    """The first few names, for a message."""
    few = list(names)[:5]
    return ", ".join(few) + (", …" if len(names) > len(few) else "")

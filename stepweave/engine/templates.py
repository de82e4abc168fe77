"""Data with JSONata inside: what an ``Output``, ``Assign`` or ``Arguments`` field holds, compiled once.

A string that starts with ``{%`` and ends with ``%}`` is an expression; everything else is data.
"""

from __future__ import annotations

from typing import Any, Final

from stepweave.engine.jsonata import EvaluationError, Expression, Values, compile_expression
from stepweave.engine.payload import is_inexact

OPEN: Final = "{%"
CLOSE: Final = "%}"


class TemplateError(Exception):
    """An expression inside a template failed: where, which, and why."""

    def __init__(self, where: str, source: str, reason: str) -> None:
        self.where = where
        super().__init__(
            f"The JSONata expression '{source}' specified for the field '{where}' failed: {reason}"
        )


class Template:
    """A constant; the base of the other kinds."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def constant(self) -> bool:
        """Whether the value is the same in every evaluation."""
        return type(self) is Template

    def evaluate(self, values: Values) -> Any:
        """The value; raises :class:`TemplateError`."""
        return self.value


class ExpressionTemplate(Template):
    """One expression."""

    __slots__ = ("where",)

    def __init__(self, expression: Expression, where: str) -> None:
        super().__init__(expression)
        self.where = where

    def evaluate(self, values: Values) -> Any:
        try:
            return self.value.evaluate(values)
        except EvaluationError as error:
            raise TemplateError(self.where, self.value.source, str(error)) from error


class ObjectTemplate(Template):
    """An object with an expression somewhere inside: the constant part, and the rest by key."""

    __slots__ = ("dynamic",)

    def __init__(self, fields: dict[str, Template]) -> None:
        super().__init__({key: field.value if field.constant else None for key, field in fields.items()})
        self.dynamic = tuple((key, field) for key, field in fields.items() if not field.constant)

    def evaluate(self, values: Values) -> Any:
        result = dict(self.value)
        for key, field in self.dynamic:
            result[key] = field.evaluate(values)
        return result


class ArrayTemplate(Template):
    """An array with an expression somewhere inside."""

    __slots__ = ()

    def evaluate(self, values: Values) -> Any:
        return [item.evaluate(values) for item in self.value]


def is_expression(value: object) -> bool:
    """Whether a value is the text of an expression.

    >>> is_expression("{% $x %}"), is_expression(" {% $x %}")
    (True, False)
    """
    return isinstance(value, str) and len(value) >= 4 and value.startswith(OPEN) and value.endswith(CLOSE)


def compile_template(value: Any, where: str) -> Template:
    """The compiled form of JSON data; ``where`` names its field in errors. Raises ``jsonata.ExpressionError``."""
    if isinstance(value, str):
        if is_expression(value):
            return ExpressionTemplate(compile_expression(value[2:-2].strip()), where)
    elif isinstance(value, dict):
        fields = {key: compile_template(item, f"{where}/{key}") for key, item in value.items()}
        if any(not field.constant for field in fields.values()):
            return ObjectTemplate(fields)
    elif isinstance(value, list):
        items = [compile_template(item, f"{where}[{index}]") for index, item in enumerate(value)]
        if any(not item.constant for item in items):
            return ArrayTemplate(items)
    return Template(value)


def holds_inexact_number(value: Any) -> bool:
    """Whether data holds a number that JSONata would change, such as ``1.0``."""
    if isinstance(value, dict):
        return any(holds_inexact_number(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_inexact_number(item) for item in value)
    return isinstance(value, int | float) and is_inexact(value)

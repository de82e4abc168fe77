"""Data with JSONata inside: what an ``Output``, ``Assign`` or ``Arguments`` field holds, compiled once.

A string that starts with ``{%`` and ends with ``%}`` is an expression; everything else is data.
"""

from __future__ import annotations

from typing import Any, Final

from stepweave.engine.jsonata import EvaluationError, Expression, Values, compile_expression
from stepweave.engine.payload import is_inexact, to_text

OPEN: Final = "{%"
CLOSE: Final = "%}"
_RETURNED: Final = "returned "
"""How the reason begins when an expression was evaluated, but gave nothing or what is no JSON."""


class TemplateError(Exception):
    """An expression inside a template failed: where, which, and why; worded as by Step Functions."""

    def __init__(self, where: str, source: str, reason: str) -> None:
        self.where = where
        how = f"{reason}." if reason.startswith(_RETURNED) else f"threw an error during evaluation. {reason}"
        super().__init__(f"The JSONata expression '{source}' specified for the field '{where}' {how}")


class Template:
    """A constant; the base of the other kinds."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def constant(self) -> bool:
        """Whether the value is the same in every evaluation."""
        return type(self) is Template

    @property
    def text(self) -> str:
        """What the definition says."""
        return to_text(self.value)

    def evaluate(self, values: Values) -> Any:
        """The value; raises :class:`TemplateError`."""
        return self.value


class ExpressionTemplate(Template):
    """One expression."""

    __slots__ = ("where",)

    def __init__(self, expression: Expression, where: str) -> None:
        super().__init__(expression)
        self.where = where

    @property
    def text(self) -> str:
        return str(self.value.source)

    def evaluate(self, values: Values) -> Any:
        try:
            return self.value.evaluate(values)
        except EvaluationError as error:
            raise TemplateError(self.where, self.value.source, str(error)) from error


class ObjectTemplate(Template):
    """An object with an expression somewhere inside: the constant part, and the rest by key."""

    __slots__ = ("dynamic",)

    def __init__(self, value: dict[str, Any], dynamic: tuple[tuple[str, Template], ...]) -> None:
        super().__init__({**value, **dict.fromkeys(key for key, _ in dynamic)})
        self.dynamic = dynamic

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
    compiled = _dynamic(value, where)
    return Template(value) if compiled is None else compiled


def _dynamic(value: Any, where: str) -> Template | None:
    """The compiled form of data with an expression inside; None for a constant, which most data is."""
    if isinstance(value, str):
        if is_expression(value):
            return ExpressionTemplate(compile_expression(value[2:-2].strip()), where)
    elif isinstance(value, dict):
        fields = [(key, _dynamic(item, f"{where}/{key}")) for key, item in value.items() if _may_vary(item)]
        varying = tuple((key, field) for key, field in fields if field is not None)
        if varying:
            return ObjectTemplate(value, varying)
    elif isinstance(value, list):
        items = [
            _dynamic(item, f"{where}[{index}]") if _may_vary(item) else None
            for index, item in enumerate(value)
        ]
        if any(items):
            return ArrayTemplate([item or Template(value[index]) for index, item in enumerate(items)])
    return None


def _may_vary(value: Any) -> bool:
    return value.startswith(OPEN) if isinstance(value, str) else isinstance(value, dict | list)


def holds_inexact_number(value: Any) -> bool:
    """Whether data holds a number that JSONata would change, such as ``1.0``."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, int | float) and is_inexact(item):
            return True
    return False

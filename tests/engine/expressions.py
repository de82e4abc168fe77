"""Evaluating single expressions in tests."""

from random import Random
from typing import Any

import pytest

from stepweave.engine.jsonata import UNDEFINED, EvaluationError, Expression


class Given:
    """Values that an expression may read, by name; those in ``states`` are the fields of ``$states``."""

    def __init__(
        self, variables: dict[str, Any], states: dict[str, Any] | None = None, inexact: bool = False
    ) -> None:
        self.variables = variables
        self.fields = states or {}
        self.inexact = inexact
        self.generator = Random(1)
        self.read: list[str] = []

    def variable(self, name: str) -> Any:
        self.read.append(name)
        return self.variables.get(name, UNDEFINED)

    def states(self, field: str) -> Any:
        self.read.append(f"states.{field}")
        return self.fields.get(field, UNDEFINED)

    def now(self) -> float:
        return 1_789_479_402.245  # 2026-09-15T13:36:42.245Z


def value(source: str, states: dict[str, Any] | None = None, **variables: Any) -> Any:
    """The result of an expression; raises ``EvaluationError`` and ``ExpressionError``."""
    return Expression(source).evaluate(Given(variables, states))


def gives(source: str, expected: Any, **variables: Any) -> None:
    """Check that an expression gives this value, of this type."""
    got = value(source, **variables)
    assert (type(got), got) == (type(expected), expected)


def fails(source: str, reason: str = r"[A-Z]\d{4}: ", **variables: Any) -> None:
    """Check that the evaluation of a sound expression fails."""
    with pytest.raises(EvaluationError, match=reason):
        value(source, **variables)


def gives_nothing(source: str, **variables: Any) -> None:
    """Check that an expression is undefined, which is an error only as a result."""
    fails(source, "returned nothing", **variables)
    assert value(f"$exists({source})", **variables) is False


def facts(cases: list[tuple[str, Any]]) -> pytest.MarkDecorator:
    """Parameters of a test: ``source`` and ``expected``."""
    return pytest.mark.parametrize("source,expected", cases, ids=[source for source, _ in cases])


def sources(*cases: str) -> pytest.MarkDecorator:
    """Parameters of a test: ``source``."""
    return pytest.mark.parametrize("source", cases)

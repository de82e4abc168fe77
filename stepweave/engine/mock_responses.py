"""Responses of mocks as JSON says them: what a call gives, and what is wrong with an entry of a mock file.

{"Return": value}                          the result; expressions ({% … %}) in it read the arguments as $states.input
{"Throw": {"Error": "…", "Cause": "…"}}    the error
{"Pass": true}                             the arguments, as they are
"Delay": seconds                           beside each of them: the call takes this long
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from stepweave.engine.failures import QUERY_EVALUATION_ERROR, StateError
from stepweave.engine.jsonata import UNDEFINED, ExpressionError
from stepweave.engine.mocks import Outcome
from stepweave.engine.templates import Template, TemplateError, compile_template, holds_inexact_number
from stepweave.errors import Problem

KINDS = ("Return", "Throw", "Pass")
SHAPE = (
    '{"Return": …}, {"Throw": {"Error": …, "Cause": …}} or {"Pass": true}, with or without "Delay": seconds'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What expressions in responses may use of the run."""

    now: Callable[[], float]
    """Seconds since the epoch."""
    generator: Random
    """Where ``$random`` and ``$uuid`` take their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    """The ``Values`` of an expression in a response: ``$states.input`` is the arguments, and there are no variables."""

    arguments: Any
    surroundings: Surroundings
    inexact: bool

    def variable(self, name: str) -> Any:
        return UNDEFINED

    def states(self, field: str) -> Any:
        return self.arguments if field == "input" else UNDEFINED

    @property
    def generator(self) -> Random:
        return self.surroundings.generator

    def now(self) -> float:
        return self.surroundings.now()


def problems_of(response: Any, where: str) -> Iterator[Problem]:
    """What is wrong with one response; ``where`` names it."""
    if not isinstance(response, Mapping):
        yield shape_problem(f"{where} is no response", got=repr(response), expected=SHAPE)
        return
    kinds = [kind for kind in KINDS if kind in response]
    unknown = [field for field in response if field not in (*KINDS, "Delay")]
    if len(kinds) != 1 or unknown:
        yield shape_problem(
            f"{where} is no response", got=", ".join(map(str, response)) or "{}", expected=SHAPE
        )
        return
    delay = response.get("Delay", 0)
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay < float("inf"):
        yield shape_problem(
            f"the Delay of {where} is no time", got=repr(delay), expected="seconds, from 0 on"
        )
    value = response[kinds[0]]
    if kinds == ["Pass"] and value is not True:
        yield shape_problem(f"Pass of {where} is not true", got=repr(value), expected='{"Pass": true}')
    if kinds == ["Throw"]:
        yield from _throw_problems(value, where)
    if kinds == ["Return"]:
        try:
            compile_template(value, "Return")
        except ExpressionError as error:
            what = f"an expression in the Return of {where} cannot be read: {error}"
            yield shape_problem(what, fix="see https://docs.jsonata.org; the arguments are $states.input")


def outcome_of(response: Mapping[str, Any], surroundings: Surroundings, *, constant: bool = False) -> Outcome:
    """What a response without problems does; ``constant`` leaves the text of expressions as it is."""
    delay = response.get("Delay", 0)

    async def outcome(arguments: Any) -> Any:
        if delay:
            await asyncio.sleep(delay)
        if "Throw" in response:
            raise StateError(response["Throw"]["Error"], response["Throw"].get("Cause", ""))
        if "Pass" in response:
            return arguments
        return _evaluated(template, arguments, surroundings)

    value = response.get("Return")
    template = Template(value) if constant else compile_template(value, "Return")
    return outcome


def _evaluated(template: Template, arguments: Any, surroundings: Surroundings) -> Any:
    if template.constant:
        return template.value
    inexact = holds_inexact_number(arguments)
    try:
        return template.evaluate(_Values(arguments=arguments, surroundings=surroundings, inexact=inexact))
    except TemplateError as error:
        raise StateError(QUERY_EVALUATION_ERROR, f"In the mock: {error}") from error


def _throw_problems(value: Any, where: str) -> Iterator[Problem]:
    texts = isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values())
    if not texts or "Error" not in value or set(value) - {"Error", "Cause"}:
        yield shape_problem(
            f"the Throw of {where} is no error",
            got=repr(value),
            expected='{"Error": "text", "Cause": "text"}',
        )


def shape_problem(
    what: str,
    *,
    file: str | None = None,
    expected: str | None = None,
    got: str | None = None,
    fix: str | None = None,
) -> Problem:
    """The problem of something in a mock file that has not the form it should have."""
    return Problem(code="mock-shape", what=what, file=file, expected=expected, got=got, fix=fix)

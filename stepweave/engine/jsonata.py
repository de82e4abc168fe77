"""The one way to evaluate JSONata: compiled expressions, evaluated on the variables that they read.

jlens was chosen by measurement (docs/decisions/jsonata.md). Only the ``jsonata_*`` modules know it:

- Plain paths such as ``$states.result.Payload`` are walked in Python: no compilation, no conversion of values.
- Other values are handed over as the *input document*, which jlens reads lazily, under keys no expression can name;
  a prelude binds them to variables. Bindings would be converted whole at every evaluation.
- Undefined and null stay apart, and what Step Functions lacks is refused.
- Where Step Functions evaluates differently, and for the functions that it adds, the expression is rewritten to call
  Python (``jsonata_rewrite``, ``jsonata_functions``, ``jsonata_arithmetic``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any, Protocol

from jlens import Expression as Library
from jlens import JlensError

from stepweave.engine import jsonata_words
from stepweave.engine.jsonata_calls import UNDEFINED
from stepweave.engine.jsonata_program import Program, compile_program
from stepweave.validation.tokens import FUNCTIONS as BUILT_IN

__all__ = ["UNDEFINED", "EvaluationError", "Expression", "ExpressionError", "Values", "compile_expression"]

_PATH = re.compile(rf"\$({jsonata_words.NAME})((?:\.(?:{jsonata_words.NAME}|`[^`]+`))*)")
_STEP = re.compile(rf"\.(?:({jsonata_words.NAME})|`([^`]+)`)")
_OPERATOR_WORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})

_OUT_OF_RANGE = "D1001"
"""The library's code for a number that is not finite."""


class ExpressionError(Exception):
    """An expression cannot be compiled."""


class EvaluationError(Exception):
    """An expression failed on the values it was given, or gave nothing; the text is that of Step Functions' cause."""


class Values(Protocol):
    """What an expression may read."""

    def variable(self, name: str) -> Any:
        """The value of ``$name``, or ``UNDEFINED``."""

    def states(self, field: str) -> Any:
        """The value of ``$states.field``, or ``UNDEFINED``."""

    @property
    def inexact(self) -> bool:
        """Whether values may hold numbers that JSONata would change (``1.0``)."""

    @property
    def generator(self) -> Random:
        """Where ``$random`` and ``$uuid`` take their numbers."""

    def now(self) -> float:
        """Seconds since the epoch."""


class Expression:
    """A JSONata expression, compiled on first use; share it freely."""

    __slots__ = (
        "_functions",
        "_names",
        "_path",
        "_program",
        "_rare",
        "_special",
        "_states",
        "source",
    )

    def __init__(self, source: str) -> None:
        self.source = source
        self._program: Program | None = None
        self._rare: dict[tuple[bool, tuple[str, ...]], Program] = {}
        """Programs for arithmetic with numbers that are not finite, and where variables hide functions."""
        self._path = _plain_path(source)
        words = jsonata_words.bare(source)
        if self._path is None:
            _validate(source, words)
        read = jsonata_words.variables(words)
        self._functions = tuple(name for name in read if name in BUILT_IN)
        self._names = tuple(name for name in read if name not in BUILT_IN)
        self._states = jsonata_words.states_fields(words)
        self._special = self._path is None and jsonata_words.is_special(words, self._functions)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that the expression may read, besides ``states``."""
        return self._names

    def evaluate(self, values: Values) -> Any:
        """The result; raises :class:`EvaluationError` when there is none."""
        if self._path is not None and not values.inexact:
            result = _walk(self._path, values)
            if result is not UNDEFINED:
                return result
        try:
            result = self._evaluate(values)
        except (JlensError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
            raise EvaluationError(_told(error)) from error
        if result is UNDEFINED:
            raise EvaluationError("returned nothing (undefined)")
        return result

    def _evaluate(self, values: Values) -> Any:
        """The result, ``UNDEFINED`` for none."""
        document = {
            f"${name}": value for name in self._names if (value := values.variable(name)) is not UNDEFINED
        }
        if self._states:
            pairs = ((field, values.states(field)) for field in self._states)
            document["$states"] = {field: value for field, value in pairs if value is not UNDEFINED}
        bindings = {
            name: value for name in self._functions if (value := values.variable(name)) is not UNDEFINED
        } or None
        now = values.now() * 1000
        program = self._program if bindings is None else self._rarely(False, tuple(bindings))
        if program is None:
            program = self._program = self._compiled(False, ())
        try:
            return program.run(document, bindings, values.generator, now)
        except JlensError as error:
            if error.code != _OUT_OF_RANGE or program.arithmetic:
                raise
        return self._rarely(True, tuple(bindings or ())).run(document, bindings, values.generator, now)

    def _rarely(self, arithmetic: bool, hidden: tuple[str, ...]) -> Program:
        program = self._rare.get((arithmetic, hidden))
        if program is None:
            program = self._rare[arithmetic, hidden] = self._compiled(arithmetic, hidden)
        return program

    def _compiled(self, arithmetic: bool, hidden: tuple[str, ...]) -> Program:
        names = (*self._names, "states") if self._states else self._names
        return compile_program(self.source, names, self._special, hidden, arithmetic)


compile_expression: Callable[[str], Expression] = lru_cache(maxsize=65_536)(Expression)
"""The compiled form of an expression's text (without ``{%`` and ``%}``), cached; raises :class:`ExpressionError`."""


def _plain_path(source: str) -> tuple[str, ...] | None:
    """The steps of an expression that is only a variable and names of fields; None for any other."""
    path = _PATH.fullmatch(source)
    if path is None or path[1] in BUILT_IN:
        return None
    steps = tuple(plain or quoted for plain, quoted in _STEP.findall(path[2]))
    return None if _OPERATOR_WORDS.intersection(steps) else (path[1], *steps)


def _walk(path: tuple[str, ...], values: Values) -> Any:
    """The value at a plain path of objects; ``UNDEFINED`` when absent, or when only the library knows."""
    if path[0] == "states":
        if len(path) == 1:
            return UNDEFINED
        value, rest = values.states(path[1]), path[2:]
    else:
        value, rest = values.variable(path[0]), path[1:]
    for step in rest:
        if type(value) is not dict or step not in value:
            return UNDEFINED
        value = value[step]
    return value


def _validate(source: str, words: str) -> None:
    try:
        Library(source)
    except JlensError as error:
        raise ExpressionError(f"{error} (position {error.position})") from error
    except UnicodeEncodeError as error:
        raise ExpressionError(str(error)) from error
    reason = jsonata_words.refused(words)
    if reason is not None:
        raise ExpressionError(reason)


def _told(error: Exception) -> str:
    """What an error says in the words of Step Functions, which begin with JSONata's code."""
    return f"{error.code}: {error}" if isinstance(error, JlensError) else str(error)

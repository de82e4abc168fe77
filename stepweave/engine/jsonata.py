"""The one place that knows a JSONata library: compiled expressions, evaluated on the variables that they read.

jlens was chosen by measurement (docs/decisions/jsonata.md). What this adapter adds:

- Plain paths such as ``$states.result.Payload`` are walked in Python: no compilation, no conversion of values.
- Other values are handed over as the *input document*, which jlens reads lazily, under keys no expression can name;
  a prelude binds them to variables. Bindings would be converted whole at every evaluation.
- Undefined and null stay apart, the functions that Step Functions adds exist, and what it lacks is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random
from typing import Any, Final, Protocol

from jlens import Expression as Compiled
from jlens import JlensError

from stepweave.engine import functions


class _Undefined:
    """The type of :data:`UNDEFINED`."""

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = _Undefined()
"""No value at all, which JSONata keeps apart from null (``None``)."""

MAX_STEPS = 20_000_000
"""Evaluation steps before an expression is given up: about a second; AWS stops runaway expressions as well."""

_NAME = r"[A-Za-z_]\w*"
_PATH = re.compile(rf"\$({_NAME})((?:\.(?:{_NAME}|`[^`]+`))*)")
_STEP = re.compile(rf"\.(?:({_NAME})|`([^`]+)`)")
_OPERATOR_WORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/', re.DOTALL)
_REGEX = re.compile(r"((?:^|[(,=:;\[{?~>|&])\s*)/(?:\\.|[^/\\\n])+/[im]*")
_SIGNATURE = re.compile(r"\)\s*<[^{}]*>\s*\{")
_VARIABLE = re.compile(rf"\$({_NAME})")
_STATES_FIELD = re.compile(rf"\$states(?:\.({_NAME}))?(?!\w)")
_STATES_FIELDS = ("input", "result", "errorOutput", "context")

# Names that are functions of JSONata: a prelude that bound an absent variable of such a name would hide the function.
_BUILT_IN = frozenset(
    re.findall(
        r"\w+",
        """
        abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl
        decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase
        formatInteger formatNumber fromMillis join keys length lookup lowercase map match max merge millis min not
        now number pad parseInteger power random reduce replace reverse round shuffle sift single sort split spread
        sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase values zip
        """,
    )
).union(functions.NAMES)


class ExpressionError(Exception):
    """An expression cannot be compiled."""


class EvaluationError(Exception):
    """An expression failed on the values it was given, or gave nothing."""


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

    __slots__ = ("_bindable", "_compiled", "_functions", "_names", "_path", "_states", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        path = _PATH.fullmatch(source)
        self._compiled: Compiled | None = None
        self._path: tuple[str, ...] | None = None
        if path and path[1] not in _BUILT_IN:
            steps = tuple(plain or quoted for plain, quoted in _STEP.findall(path[2]))
            self._path = None if _OPERATOR_WORDS.intersection(steps) else (path[1], *steps)
        bare = _QUOTED.sub("''", source)  # a literal stays a literal: `? 'a' : 'b'` is no `?:`
        if self._path is None:
            _validate(source, bare)
        read = dict.fromkeys(_VARIABLE.findall(bare))
        read.pop("states", None)
        self._functions = tuple(name for name in functions.NAMES if name in read)
        self._names = tuple(name for name in read if name not in _BUILT_IN)
        self._bindable = tuple(name for name in read if name in _BUILT_IN)
        fields = _STATES_FIELD.findall(bare)
        self._states = _STATES_FIELDS if "" in fields else tuple(dict.fromkeys(fields))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that the expression may read, besides ``states``."""
        return self._names

    def evaluate(self, values: Values) -> Any:
        """The result; raises :class:`EvaluationError` when there is none."""
        if self._path is not None and not values.inexact:
            result = self._walk(self._path, values)
            if result is not UNDEFINED:
                return result
        return self._evaluate(values)

    def _walk(self, path: tuple[str, ...], values: Values) -> Any:
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

    def _evaluate(self, values: Values) -> Any:
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = self._compile()
        document = {
            f"${name}": value for name in self._names if (value := values.variable(name)) is not UNDEFINED
        }
        if self._states:
            pairs = ((field, values.states(field)) for field in self._states)
            document["$states"] = {field: value for field, value in pairs if value is not UNDEFINED}
        bindings = self._bindings(values)
        now = values.now() * 1000
        try:
            result = compiled.evaluate(document or None, bindings, now=now, max_steps=MAX_STEPS)
            if result is None:
                return self._null(compiled, document, bindings, now)
        except (JlensError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise EvaluationError(str(error)) from error
        return result

    def _null(
        self, compiled: Compiled, document: Any, bindings: Mapping[str, Any] | None, now: float
    ) -> None:
        """``None`` if the result is null; raises when it is undefined, which the Python API cannot tell apart."""
        text = json.dumps(document) if document else None
        text = compiled.evaluate_json(text, bindings, now=now, max_steps=MAX_STEPS)  # type: ignore[arg-type]
        if text is None:
            raise EvaluationError("returned nothing (undefined)")

    def _bindings(self, values: Values) -> dict[str, Any] | None:
        """Added functions, and variables that are named like a function, by name."""
        if not self._bindable:
            return None
        bound: dict[str, Any] = {name: functions.bind(name, values.generator) for name in self._functions}
        for name in self._bindable:
            value = values.variable(name)
            if value is not UNDEFINED:
                bound[name] = value
        return bound or None

    def _compile(self) -> Compiled:
        names = (*self._names, "states") if self._states else self._names
        prelude = "".join(f"${name}:=$$.`${name}`;" for name in names)
        return Compiled(f"({prelude}{self.source}\n)" if prelude else self.source)


compile_expression: Callable[[str], Expression] = lru_cache(maxsize=65_536)(Expression)
"""The compiled form of an expression's text (without ``{%`` and ``%}``), cached; raises :class:`ExpressionError`."""


def _validate(source: str, bare: str) -> None:
    try:
        Compiled(source)
    except JlensError as error:
        raise ExpressionError(f"{error} (position {error.position})") from error
    except UnicodeEncodeError as error:
        raise ExpressionError(str(error)) from error
    if re.search(r"\$eval\s*\(", bare):
        raise ExpressionError("Step Functions has no $eval")
    operators = _SIGNATURE.sub("){", _REGEX.sub(r"\1 ", bare)) if "?" in bare else ""
    for operator, pattern in (("?:", r"\?\s*:"), ("??", r"\?\?")):
        if re.search(pattern, operators):
            raise ExpressionError(
                f"the operator {operator} is newer than JSONata 2.0.6, which Step Functions runs"
            )

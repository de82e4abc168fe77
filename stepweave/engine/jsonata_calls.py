"""How functions written in Python are called from JSONata: undefined arguments, the context, and wrong ones.

The library hands undefined and null over as the same ``None``, so an expression that calls such a function is rewritten
(``jsonata_rewrite``) to hand its arguments over as an object, in which an undefined one is absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final


class _Undefined:
    """The type of :data:`UNDEFINED`."""

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = _Undefined()
"""No value at all, which JSONata keeps apart from null (``None``)."""


class FunctionError(ValueError):
    """A function fails on its arguments; the text begins with JSONata's code."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument that a function takes."""

    types: str
    """Symbols of the types it may have, as ``_symbol`` gives them."""
    optional: bool
    contextual: bool
    """Whether the context value takes its place when it is not given."""

    @property
    def pattern(self) -> str:
        """What it matches in the symbols of the arguments; an undefined value is of any type."""
        return f"([{self.types}m]{'?' if self.optional or self.contextual else ''})"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes."""

    name: str
    parameters: tuple[Parameter, ...]
    _pattern: re.Pattern[str]

    @property
    def contextual(self) -> bool:
        """Whether an argument may come from the context."""
        return any(parameter.contextual for parameter in self.parameters)

    def bind(self, given: list[Any], context: Callable[[], Any] | None) -> list[Any]:
        """The arguments by position, ``UNDEFINED`` where there is none; raises ``T0410`` for one of a wrong type."""
        symbols = "".join(map(_symbol, given))
        match = self._pattern.fullmatch(symbols)
        if match is None:
            raise mismatch(self.name, self._first_wrong(symbols))
        bound: list[Any] = []
        rest = iter(given)
        for group, parameter in zip(match.groups(), self.parameters, strict=True):
            if group:
                bound.append(next(rest))
            elif parameter.contextual:
                bound.append(self._from_context(context, parameter, len(bound) + 1))
            else:
                bound.append(UNDEFINED)
        return bound

    def _first_wrong(self, symbols: str) -> int:
        """The position, from 1, of the first argument that fits nowhere."""
        patterns = [parameter.pattern for parameter in self.parameters]
        matches = (re.match("".join(patterns[:count]), symbols) for count in range(len(patterns) + 1))
        return 1 + max(match.end() for match in matches if match)

    def _from_context(self, context: Callable[[], Any] | None, parameter: Parameter, position: int) -> Any:
        value = context() if context is not None else None
        if value is None:
            return UNDEFINED
        if _symbol(value) not in parameter.types:
            raise FunctionError(
                f"T0411: Context value is not a compatible type with argument {position} of function"
                f' "{self.name}"'
            )
        return value


def signature(name: str, text: str) -> Signature:
    """The signature that ``text`` writes, as JSONata does without the brackets and the result: ``s-nn?``.

    A letter is the type of an argument (``x``: any), ``?`` behind it makes it optional, ``-`` taken from the context:
    https://docs.jsonata.org/embedding-extending#function-signature-syntax.
    """
    parameters = tuple(
        Parameter("snbaol" if letter == "x" else letter, mark == "?", mark == "-")
        for letter, mark in re.findall(r"([a-z])([?-]?)", text)
    )
    return Signature(name, parameters, re.compile("".join(parameter.pattern for parameter in parameters)))


def mismatch(name: str, position: int) -> FunctionError:
    """The error for an argument (from 1) of a type that a function does not take."""
    return FunctionError(f'T0410: Argument {position} of function "{name}" does not match function signature')


def packed(arguments: Iterable[str]) -> str:
    """The expressions of arguments as one expression, an object: ``["1", "$x"]`` gives ``{"0":1,"1":$x}``."""
    return "{" + ",".join(f'"{index}":{argument}' for index, argument in enumerate(arguments)) + "}"


def unpacked(count: int, members: Mapping[str, Any]) -> list[Any]:
    """Arguments as they arrive, by position: ``{"0": 1}`` of two is ``[1, UNDEFINED]``."""
    return [members.get(str(index), UNDEFINED) for index in range(int(count))]


def _symbol(value: Any) -> str:
    """The type of a value in one character: ``l`` is null, ``m`` (missing) undefined."""
    if isinstance(value, str):
        return "s"
    if isinstance(value, bool):
        return "b"
    if isinstance(value, int | float):
        return "n"
    if value is UNDEFINED:
        return "m"
    return "l" if value is None else "a" if isinstance(value, list) else "o"

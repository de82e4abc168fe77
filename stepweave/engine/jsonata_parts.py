"""Pieces of rewritten expressions: calls of Python, partial calls, regular expressions, and the functions concerned."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from stepweave.engine.jsonata_calls import packed
from stepweave.engine.jsonata_functions import FUNCTIONS, HOST
from stepweave.engine.jsonata_text import NOT_FINITE
from stepweave.validation.tokens import PARAMETER

PLACEHOLDER: Final = "?"
"""Stands for an argument that a partial call leaves open."""

NOTHING: Final = "$__nothing"
"""A variable that no expression binds."""

CONTEXTUAL: Final = frozenset(
    re.findall(
        r"\w+",
        """
        abs base64decode base64encode boolean ceil decodeUrl decodeUrlComponent encodeUrl encodeUrlComponent floor
        fromMillis keys length lowercase not number round spread sqrt string toMillis trim uppercase
        """,
    )
)
"""Functions that take the context value when they are called without arguments."""

HIGHER_ORDER: Final = frozenset(
    {"contains", "each", "filter", "map", "match", "reduce", "replace", "sift", "single", "sort", "split"}
)
"""Functions that call a function and give no function back, unless that one does."""

READ_OTHERWISE: Final = {"now": (1, "zone"), "fromMillis": (2, "zone"), "replace": (3, "whole")}
"""Functions of which one argument is read in another way: its position, and the host function that reads it."""

_ASCII_BLANK: Final = r" \t\n\r\f\v"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """An expression for the library."""

    text: str
    arithmetic: bool
    """Whether its result may hold marks for numbers that are none."""
    functions: bool
    """Whether its result may hold a function, which is no value."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the expression, rewritten."""

    text: str
    name: str = ""
    """The function of JSONata that it names."""
    callee: str = ""
    """The function that it calls by the host."""
    arguments: tuple[str, ...] = ()
    """Arguments of a host call, or operands of ``&``."""
    literal: str = ""
    """The number or string that it is."""
    function: bool = False
    """Whether it is a function: a lambda, a regular expression or the name of one."""


def host_call(name: str, arguments: list[str], context: bool = False) -> Part:
    """A call by the host; the ``context`` goes along as a function, since it may be large and is seldom used."""
    function = FUNCTIONS.get(name)
    contextual = context and function is not None and function.signature.contextual
    wanting = contextual and function is not None and len(arguments) < len(function.signature.parameters)
    text = f'${HOST}("{name}",{len(arguments)},{packed(arguments)}{",function(){$}" if wanting else ""})'
    if function is not None and function.nullable:
        text = f"({text}.v)"
    return Part(text, callee=name, arguments=tuple(arguments))


def partial_call(name: str, arguments: list[str], context: bool) -> Part:
    """A call with placeholders: a function of what is missing."""
    parameters = [f"$__{index}" for index, text in enumerate(arguments) if text == PLACEHOLDER]
    missing = iter(parameters)
    given = [next(missing) if text == PLACEHOLDER else text for text in arguments]
    return Part(f"function({','.join(parameters)}){{{host_call(name, given, context).text}}}", function=True)


def type_of(argument: str) -> str:
    """``$type`` of an argument that may be a mark for a number that is not finite."""
    marks = json.dumps(list(NOT_FINITE))
    return f'($__m:={argument};$__m in {marks}?"number":$type($__m))'


def ascii_blanks(regex: str) -> str:
    r"""A regular expression in which ``\s`` is a blank of ASCII, as on Step Functions, and ``\S`` anything else.

    ``\S`` among the characters of a class stays as it is: the library knows no class within a class.
    """
    if r"\s" not in regex.lower():
        return regex
    written: list[str] = []
    inside = False
    for piece in re.findall(r"\\.|.", regex, re.DOTALL):
        if piece in "[]":
            inside = piece == "["
        elif piece == r"\s":
            piece = _ASCII_BLANK if inside else f"[{_ASCII_BLANK}]"
        elif piece == r"\S" and not inside:
            piece = f"[^{_ASCII_BLANK}]"
        written.append(piece)
    return "".join(written)


def bound_names(source: str) -> set[str]:
    """Names that the expression itself binds: by ``:=`` or as a parameter."""
    names = set(re.findall(r"\$(\w+)\s*:=", source))
    for parameters in re.findall(r"(?:function|λ)\s*\(([^)]*)\)", source):
        names.update(PARAMETER.findall(parameters))
    return names

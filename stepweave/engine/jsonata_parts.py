"""Pieces of rewritten expressions: calls of Python, partial calls, regular expressions."""

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
    r"""A regular expression in which ``\s`` is a blank of ASCII, as on Step Functions."""
    if r"\s" not in regex:
        return regex
    written: list[str] = []
    inside = False
    for piece in re.findall(r"\\.|.", regex, re.DOTALL):
        if piece in "[]":
            inside = piece == "["
        blank = piece == r"\s"
        written.append((_ASCII_BLANK if inside else f"[{_ASCII_BLANK}]") if blank else piece)
    return "".join(written)


def bound_names(source: str) -> set[str]:
    """Names that the expression itself binds: by ``:=`` or as a parameter."""
    names = set(re.findall(r"\$(\w+)\s*:=", source))
    for parameters in re.findall(r"(?:function|λ)\s*\(([^)]*)\)", source):
        names.update(PARAMETER.findall(parameters))
    return names

"""Operators on references, written as JSONata 2.0.6.

    Tree      = FromTask | FromParam | FromItem | FromState | Constant | Operation
    Operation = (pieces, kind)        pieces: JSONata text and the trees between

A tree is built while the DAG function runs and written once, by :func:`to_expression`:

    Operation(("" , left, " >= ", Constant("0.8", "number")), "bool")   →   "$_0_ >= 0.8"

What Python and JSONata see differently is decided here, by the *kind* of an operand where its annotation or value
tells it: ``+`` is ``&`` on text and ``$append`` on lists; ``%`` and ``//`` round towards minus infinity as in Python;
``&``, ``|``, ``~`` are *and*, *or*, *not*. Text from users is quoted so that nothing in it can act as code, neither
for JSONata nor for ``{% %}``, ``${}`` or an operand's ``$_0_`` around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from stepweave.graph.model import Expression, Reference

Kind: TypeAlias = Literal["number", "text", "bool", "list", "dict", "null"]
"""What an operand is known to be."""

LARGEST_EXPRESSION = 8192
"""Longest expression in characters; far below the 1 MiB of a definition, of which one condition should be little."""

DEEPEST_EXPRESSION = 100
"""Most operators inside one another; JSONata interpreters recurse."""

LARGEST_INTEGER = 2**53
"""JSONata computes with doubles, which hold every integer up to this size."""


@dataclass(frozen=True, slots=True)
class Constant:
    """JSONata text of a literal."""

    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or function applied to operands: JSONata text with trees in it."""

    pieces: tuple[str | Tree, ...]
    kind: Kind | None
    depth: int = field(init=False)

    def __post_init__(self) -> None:
        inner = (piece.depth for piece in self.pieces if isinstance(piece, Operation))
        object.__setattr__(self, "depth", 1 + max(inner, default=0))
        if self.depth > DEEPEST_EXPRESSION:
            raise ValueError(f"more than {DEEPEST_EXPRESSION} operators inside one another")


Tree: TypeAlias = Reference | Constant | Operation


def constant(value: Any) -> Constant:
    """``value`` as a JSONata literal. Raises ``ValueError`` saying what cannot be written."""
    match value:
        case None:
            return Constant("null", "null")
        case bool():
            return Constant("true" if value else "false", "bool")
        case int() | float():
            return Constant(_number(value), "number")
        case str():
            return Constant(quoted(value), "text")
        case list() | tuple():
            return Constant(f"[{', '.join(constant(item).text for item in value)}]", "list")
        case dict():
            return Constant(f"{{{', '.join(_pair(key, item) for key, item in value.items())}}}", "dict")
    raise ValueError(f"a value of type {type(value).__name__} cannot be part of an expression")


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise ValueError("an integer beyond 2^53 would be rounded: the state machine computes with doubles")
    if not math.isfinite(value):
        raise ValueError(f"{value} does not exist in JSON")
    text = int.__repr__(value) if isinstance(value, int) else float.__repr__(value)
    return f"({text})" if text.startswith("-") else text


def _pair(key: object, item: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"the key {key!r} is not text")
    return f"{quoted(key)}: {constant(item).text}"


_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "'\"\\$%{}" + "".join(map(chr, range(32)))}


def quoted(text: str) -> str:
    r"""``text`` as a JSONata string in single quotes: ``it's`` is ``'it\u0027s'``.

    Whatever could end the string, or mean something to the state machine around it, is escaped.
    Raises ``ValueError`` on half a surrogate pair.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text!r} is not valid Unicode") from None
    return f"'{text.translate(_ESCAPES)}'"


def to_expression(tree: Tree) -> Expression:
    """The tree as an ``Expression``. Raises ``ValueError`` when it is longer than ``LARGEST_EXPRESSION``."""
    operands: dict[Reference, int] = {}
    written: list[str] = []
    length = 0
    stack: list[str | Tree] = [tree]
    while stack:
        piece = stack.pop()
        match piece:
            case str():
                text = piece
            case Constant():
                text = piece.text
            case Operation():
                alone = not written and not stack
                argument = bool(written and stack) and written[-1][-1] == "(" and stack[-1] in (")", ", ")
                stack.extend(reversed(piece.pieces if alone or argument else ("(", *piece.pieces, ")")))
                continue
            case _:
                text = f"$_{operands.setdefault(piece, len(operands))}_"
        written.append(text)
        length += len(text)
        if length > LARGEST_EXPRESSION:
            raise ValueError(f"the expression is longer than {LARGEST_EXPRESSION:,} characters")
    return Expression(text="".join(written), operands=tuple(operands))


Kinds: TypeAlias = tuple[Kind | None, Kind | None]
"""What is known of the left and of the right operand."""


def arithmetic(symbol: str, left: Tree, right: Tree, kinds: Kinds) -> Operation:
    """``left symbol right`` with Python's meaning.

    ``+`` adds numbers unless a side is known to be text (then it joins text) or a list (then it joins lists): where
    nothing is known of either side, text fails at run time instead of being joined.
    Raises ``ValueError`` when the kinds are known and Python would raise a ``TypeError``.
    """
    known = {kind for kind in kinds if kind}
    if symbol == "+" and known == {"text"}:
        return Operation((left, " & ", right), "text")
    if symbol == "+" and known == {"list"}:
        return Operation(("$append(", left, ", ", right, ")"), "list")
    if known - {"number"}:
        raise ValueError(f"{_names(*kinds)} do not go together")
    match symbol:
        case "//":
            pieces: tuple[str | Tree, ...] = ("$floor(", left, " / ", right, ")")
        case "%":  # JSONata's % takes the sign of the left side, Python's that of the right
            pieces = ("((", left, " % ", right, ") + ", right, ") % ", right)
        case "**":
            pieces = ("$power(", left, ", ", right, ")")
        case _:
            pieces = (left, f" {symbol} ", right)
    return Operation(pieces, "number")


def comparison(symbol: str, left: Tree, right: Tree, kinds: Kinds) -> Operation:
    """``left symbol right``, where ``symbol`` is Python's.

    Raises ``ValueError`` when the kinds are known and the comparison has one answer or none at all.
    """
    known = {kind for kind in kinds if kind}
    if symbol in ("==", "!="):
        if len(known - {"null"}) > 1:
            raise ValueError(f"{_names(*kinds)} are never equal")
        return Operation((left, " = " if symbol == "==" else " != ", right), "bool")
    if len(known) > 1 or known - {"number", "text"}:
        raise ValueError(f"{_names(*kinds)} have no order")
    return Operation((left, f" {symbol} ", right), "bool")


def logical(word: str, left: Tree, right: Tree, kinds: Kinds) -> Operation:
    """``left and right``, ``left or right``. Raises ``ValueError`` when a side is known to be no truth value."""
    if {kind for kind in kinds if kind} - {"bool"}:
        raise ValueError(f"{_names(*kinds)} are not two truth values")
    return Operation((left, f" {word} ", right), "bool")


def function(name: str, operand: Tree, kind: Kind | None, needed: Kind) -> Operation:
    """``name(operand)``, or ``-operand``. Raises ``ValueError`` when the operand is known to be of another kind."""
    if kind not in (None, needed):
        raise ValueError(f"{_names(kind)} is not {_names(needed)}")
    return Operation((name, operand) if name == "-" else (f"{name}(", operand, ")"), needed)


def membership(_: str, item: Tree, options: Tree, kinds: Kinds) -> Operation:
    """Whether ``item`` is one of the list ``options``. Raises ``ValueError`` when that is known to be no list."""
    if kinds[1] not in (None, "list"):
        raise ValueError(f"{_names(kinds[1])} is not a list")
    return Operation((item, " in ", options), "bool")


def containment(_: str, container: Tree, item: Tree, kinds: Kinds) -> Operation:
    """Whether ``item`` is in ``container``: a part of a text, an item of a list, a key of a dict.

    Raises ``ValueError`` when the container is known to be none of these.
    """
    match kinds[0]:
        case "text":
            pieces: tuple[str | Tree, ...] = ("$contains(", container, ", ", item, ")")
        case "list":
            pieces = (item, " in ", container)
        case "dict":
            pieces = (item, " in $keys(", container, ")")
        case None:
            pieces = (
                "$type(", container, ") = 'string' ? $contains(", container, ", ", item, ") : ",
                item, " in ($type(", container, ") = 'object' ? $keys(", container, ") : ", container, ")",
            )  # fmt: skip
        case kind:
            raise ValueError(f"{_names(kind)} contains nothing")
    return Operation(pieces, "bool")


_KIND_NAMES = {
    "number": "a number", "text": "text", "bool": "a truth value", "list": "a list", "dict": "a dict", "null": "None",
    None: "a value of unknown type",
}  # fmt: skip


def _names(*kinds: Kind | None) -> str:
    return " and ".join(_KIND_NAMES[kind] for kind in kinds)

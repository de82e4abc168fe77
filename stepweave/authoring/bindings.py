"""Where an argument comes from: a literal, a task, a param, an expression, or a list or dict of these."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from stepweave.authoring.expressions import to_expression
from stepweave.authoring.references import BROKEN, Computed, Operand, Origin, Reference
from stepweave.authoring.trace import Node, Trace
from stepweave.graph.model import Binding, DictOf, FromTask, ListOf, Literal

DEEPEST_LITERAL = 100
"""Most lists and dicts inside one another; JSON readers recurse, and a list that holds itself has no end."""

LARGEST_LITERAL = 65_536
"""Longest literal argument in bytes of JSON text: a quarter of the 256 KiB that a state may receive
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html); more belongs in a task or a file."""

_ENCODE = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
_NONE = Literal(json="null")


class BindingError(Exception):
    """A value cannot be an argument: what it is, where in the argument, and what to write instead."""

    def __init__(self, code: str, what: str, fix: str, trail: tuple[str | int, ...] = ()) -> None:
        self.code = code
        self.what = what
        self.fix = fix
        self.trail = trail
        super().__init__(what)

    def where(self, argument: str) -> str:
        """The place of the value: ``argument 'options' at ['a'][0]``."""
        return f"argument {argument!r}" + (
            f" at {''.join(f'[{key!r}]' for key in self.trail)}" if self.trail else ""
        )


def to_binding(value: Any, node: Node) -> Binding:
    """The binding of an argument of ``node``, whose upstream tasks and their fields are noted on the way.

    Raises :class:`BindingError` when the value can be no argument.
    """
    if value is None:
        return _NONE
    kind = type(value)
    if kind is Reference or kind is Computed:
        return _of_operand(value, node)
    if not _holds_references(value, 0):
        text = _ENCODE(value)
        if len(text) > LARGEST_LITERAL // 4 and len(text.encode()) > LARGEST_LITERAL:
            raise BindingError(
                "literal-size",
                f"the literal has {len(text.encode()):,} bytes of JSON, more than {LARGEST_LITERAL:,}",
                "let a task read or make it",
            )
        return Literal(json=text)
    return _of_container(value, node)


def _of_container(value: Any, node: Node) -> Binding:
    if isinstance(value, dict):
        return DictOf(items=tuple((key, to_binding(item, node)) for key, item in value.items()))
    return ListOf(items=tuple(to_binding(item, node) for item in value))


def _of_operand(operand: Operand, node: Node) -> Binding:
    if operand is BROKEN:
        return _NONE
    if isinstance(operand, Reference):
        assert operand._origin is not None  # only BROKEN has none
        _check_home(operand._origin, node.trace)
        binding = operand._origin.bind(operand._path)
        if isinstance(binding, FromTask):
            node.upstream[binding.task] = None
        return binding
    assert isinstance(operand, Computed)
    try:
        expression = to_expression(operand._operation)
    except ValueError as error:
        raise BindingError("expression-size", str(error), "compute it inside a task") from None
    for origin in operand._origins:
        _check_home(origin, node.trace)
    for part in expression.operands:
        if isinstance(part, FromTask):
            node.upstream[part.task] = None
            node.trace.nodes[part.task].fields[part.path] = None
    return expression


def _check_home(origin: Origin, trace: Trace) -> None:
    if origin.trace is not trace:
        what = f"{origin.describe()} belongs to another DAG"
        raise BindingError("foreign-reference", what, "call the task in this DAG")


def _holds_references(value: Any, depth: int) -> bool:
    """Whether a reference is anywhere inside ``value``. Raises :class:`BindingError` on what JSON cannot hold."""
    match value:
        case None | bool() | int():
            return False
        case str():
            return _checked_text(value)
        case float():
            return _checked_number(value)
        case Operand():
            return True
        case list() | tuple() | dict() if depth >= DEEPEST_LITERAL:
            raise BindingError(
                "literal-depth",
                f"more than {DEEPEST_LITERAL} lists or dicts in one another",
                "pass a flatter value",
            )
        case list() | tuple():
            found = [_inner(item, index, depth) for index, item in enumerate(value)]
            return any(found)  # a list first: every item must be looked at
        case dict():
            found = [_inner(item, _checked_key(key), depth) for key, item in value.items()]
            return any(found)
    raise _unserialisable(value)


def _inner(item: Any, key: str | int, depth: int) -> bool:
    try:
        return _holds_references(item, depth + 1)
    except BindingError as error:
        error.trail = (key, *error.trail)
        raise


def _checked_text(text: str) -> bool:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BindingError(
                "unserialisable", f"{text!r} is not valid Unicode", "decode it correctly"
            ) from None
    return False


def _checked_number(number: float) -> bool:
    if not math.isfinite(number):
        raise BindingError(
            "unserialisable", f"{number} does not exist in JSON", "pass None, or text such as 'nan'"
        )
    return False


def _checked_key(key: Any) -> str:
    if not isinstance(key, str):
        raise BindingError(
            "unserialisable",
            f"the dict key {key!r} is of type {type(key).__name__}, not text",
            f"write {str(key)!r} as key",
        )
    _checked_text(key)
    return key


_FIXES: Mapping[str, str] = {
    "set": "write sorted(...)",
    "frozenset": "write sorted(...)",
    "bytes": "pass the text, or a path to the data",
    "PosixPath": "write str(path)",
    "WindowsPath": "write str(path)",
    "datetime": "write value.isoformat()",
    "date": "write value.isoformat()",
    "timedelta": "write value.total_seconds()",
    "Decimal": "write str(value)",
    "UUID": "write str(value)",
    "int64": "write value.item()",
    "int32": "write value.item()",
    "float32": "write value.item()",
    "bool": "write value.item()",
    "ndarray": "make it in a task, or write value.tolist()",
    "DataFrame": "read it in a task",
    "TextIOWrapper": "pass the path and open it inside the task",
    "BufferedReader": "pass the path and open it inside the task",
    "generator": "write list(...)",
    "range": "write list(...)",
}


def _unserialisable(value: Any) -> BindingError:
    name = getattr(getattr(value, "function", None), "__name__", None)
    if name:
        return BindingError(
            "task-not-called",
            f"the task function {name!r} is passed instead of its result",
            f"call it: {name}(...)",
        )
    kind = type(value).__name__
    return BindingError(
        "unserialisable",
        f"a value of type {kind} cannot travel to a task: only text, numbers, True, False, None, lists and dicts can",
        _FIXES.get(kind, "make it inside the task, or pass what it is made of"),
    )

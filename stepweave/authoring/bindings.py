"""Where an argument comes from: a literal, a task, a param, an expression, or a list or dict of these."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from stepweave.authoring.expressions import to_expression
from stepweave.authoring.nodes import Node, Origin
from stepweave.authoring.references import BROKEN, Computed, Operand, Reference
from stepweave.authoring.scoping import OutOfReachError, use
from stepweave.graph import model
from stepweave.graph.model import (
    Binding,
    DictOf,
    Expression,
    FromItem,
    FromParam,
    FromState,
    FromTask,
    ListOf,
    Literal,
)

DEEPEST_LITERAL = 100
"""Most lists and dicts inside one another; JSON readers recurse, and a list that holds itself has no end."""

LARGEST_LITERAL = 65_536
"""Longest literal argument in bytes of JSON text: a quarter of the 256 KiB that a state may receive
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html); more belongs in a task or a file."""

_ENCODE = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
_NONE = Literal(json="null")


class BindingError(Exception):
    """A value cannot be an argument: what it is, where in the argument, and what to write instead."""

    def __init__(
        self,
        code: str,
        what: str,
        fix: str,
        *,
        trail: tuple[str | int, ...] = (),
        expected: str | None = None,
    ) -> None:
        self.code = code
        self.what = what
        self.fix = fix
        self.trail = trail
        self.expected = expected
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
    try:
        if isinstance(operand, Reference):
            assert operand._origin is not None  # only BROKEN has none
            return use(operand._origin, operand._path, node)
        assert isinstance(operand, Computed)
        return _of_computed(operand, node)
    except OutOfReachError as error:
        raise BindingError(error.code, error.what, error.fix) from None


def _of_computed(computed: Computed, node: Node) -> Expression:
    try:
        expression = to_expression(computed._operation)
    except ValueError as error:
        raise BindingError("expression-size", str(error), "compute it inside a task") from None
    origins = {
        _named(found): origin
        for origin in computed._origins
        if not isinstance(found := origin.bind(()), Literal)
    }
    operands = []
    for part in expression.operands:
        operand = _native(origins[_named(part)], part.path, node)
        assert not isinstance(operand, Literal)  # a known value is in the text
        operands.append(operand)
    return Expression(text=expression.text, operands=tuple(operands))


def _named(reference: model.Reference) -> tuple[str, ...]:
    """What ``reference`` leads to, whatever the path: names of tasks, params, items and states do not collide."""
    match reference:
        case FromTask(task=task):
            return "task", task
        case FromParam(param=param):
            return "param", param
        case FromItem(node=owner, name=name):
            return "item", owner, name
        case FromState(node=owner, counter=counter):
            return "state", owner, str(counter)


def _native(origin: Origin, path: model.Path, node: Node) -> model.Reference | Literal:
    """The binding of a part that the state machine itself reads: the task that makes it notes that."""
    if isinstance(origin, Node) and "expansion" in origin.forms:
        raise BindingError(
            "mapped-expression",
            f"the results of the mapped {origin.describe()} are in a condition or computed value",
            "compute it inside a task that takes all results",
        )
    found = use(origin, path, node)
    if isinstance(found, FromTask):
        node.trace.nodes[found.task].fields[found.path] = None
    return found


def to_condition(value: Any, node: Node) -> Expression:
    """The expression of a condition that decides for ``node``. Raises :class:`BindingError` when it is none."""
    if isinstance(value, Operand) and value._kind() == "bool":
        binding = native(value, node)
        if isinstance(binding, Expression):
            return binding
        assert isinstance(binding, Literal)  # an operand is nothing else
        return Expression(text=binding.json, operands=())
    if isinstance(value, Operand):
        raise BindingError(
            "condition-type",
            f"{value._described()} is no condition",
            "compare it: ref > 0, ref == 'yes'; of a truth value write ref == True, or annotate its task -> bool",
            expected="a comparison of references, or a reference to a bool",
        )
    raise BindingError(
        "condition-type",
        f"{value!r} is known while the DAG is traced",
        "write Python's if for what is known now; compare a reference for what is known in a run",
        expected="a condition over references",
    )


def native(value: Any, node: Node) -> Binding:
    """The binding of a value that the state machine itself reads: every reference in it is an expression.

    Raises :class:`BindingError` when the value can be no argument.
    """
    if isinstance(value, Reference) and value is not BROKEN:
        assert value._origin is not None  # only BROKEN has none
        try:
            found = _native(value._origin, value._path, node)
        except OutOfReachError as error:
            raise BindingError(error.code, error.what, error.fix) from None
        return found if isinstance(found, Literal) else Expression(text="$_0_", operands=(found,))
    if isinstance(value, (list, tuple)) and holds_references(value):
        return ListOf(items=tuple(native(item, node) for item in value))
    if isinstance(value, dict) and holds_references(value):
        return DictOf(items=tuple((key, native(item, node)) for key, item in value.items()))
    return to_binding(value, node)


def holds_references(value: Any) -> bool:
    """Whether a reference is anywhere inside ``value``. Raises :class:`BindingError` on what JSON cannot hold."""
    return _holds_references(value, 0)


def _holds_references(value: Any, depth: int) -> bool:
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

"""What a task or group is mapped over: lists, checked against the parameters that get their items."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Union

from stepweave.authoring.bindings import BindingError, to_binding
from stepweave.authoring.contracts import can_be, item_types, kind_of, members, type_name
from stepweave.authoring.edges import annotation_of, mismatch
from stepweave.authoring.items import KWARGS, Items
from stepweave.authoring.nodes import Node
from stepweave.authoring.references import BROKEN, Operand
from stepweave.authoring.signatures import Signature
from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.trace import report
from stepweave.errors import Problem
from stepweave.graph.constructs import Expansion
from stepweave.graph.model import Binding


def expand(
    node: Node, signature: Signature, bound: Mapping[str, Any], items: Items
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Note on ``node`` what it is mapped over.

    Answers with the arguments that are the same for every item, and the annotation of what each mapped parameter gets.
    """
    if items.how == "kwargs":
        plain, mapped, arguments = _by_dicts(node, signature, bound, items.lists[KWARGS])
    else:
        plain, mapped, arguments = _by_lists(node, signature, bound, items)
    options = node.options.mapping
    _check_label(node, options.map_label, mapped, items)
    node.forms["expansion"] = Expansion(
        how=items.how,
        arguments=tuple(arguments.items()),
        max_concurrency=options.max_concurrency,
        batch_size=options.batch_size,
        tolerated_count=options.tolerated_failures[0],
        tolerated_percent=options.tolerated_failures[1],
        label=options.map_label,
    )
    return plain, mapped


def _check_label(node: Node, label: str, mapped: Mapping[str, Any], items: Items) -> None:
    """Report a label that names neither a parameter nor, as far as is known, a key of an item."""
    plain = all(kind_of(one) in ("text", "number", "bool", "list") for one in mapped.values())
    if label and label not in mapped and items.how != "kwargs" and plain:
        _say(node, "map-label", f"map_label names {label!r}, which no item has",
             expected="a parameter that is mapped, or a key of its items", fix=did_you_mean(label, mapped))  # fmt: skip


_Bound = tuple[dict[str, Any], dict[str, Any], dict[str, Binding]]


def _by_lists(node: Node, signature: Signature, bound: Mapping[str, Any], items: Items) -> _Bound:
    for name in items.lists.keys() & bound.keys():
        _say(node, "unexpected-argument", f"argument {name!r} is given twice, by partial and by expand",
             expected=signature.text, fix=f"give {name} once")  # fmt: skip
    given, problems = signature.bind(
        (), items.lists, {k: v for k, v in bound.items() if k not in items.lists}
    )
    _note(node, problems)
    mapped, arguments = {}, {}
    for name, value in items.lists.items():
        if name in given:
            mapped[name] = _item_type(value)
            arguments[name] = _bind(node, name, value)
            _check_items(
                node, name, value, Any if problems else signature.annotations.get(name, Any), signature.name
            )
    if items.how == "zip":
        _check_lengths(node, items.lists)
    return {name: value for name, value in given.items() if name not in items.lists}, mapped, arguments


def _by_dicts(node: Node, signature: Signature, bound: Mapping[str, Any], value: Any) -> _Bound:
    arguments = {KWARGS: _bind(node, KWARGS, value)}
    free = [name for name in signature.parameters if name not in bound]
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check_dict(node, signature, bound, item, index)
    elif (one := _item_type(value)) is not BROKEN and not can_be(one, dict):
        _say(node, "expand-list", f"{signature.name}.expand_kwargs() got a list of {type_name(one)}",
             expected="a list of dicts, with the arguments of one call each",
             fix=f"use {signature.name}.expand(x=...) for a list of values")  # fmt: skip
    given, problems = signature.bind((), {}, bound)
    _note(node, [problem for problem in problems if problem.code != "missing-argument"])
    return given, {name: signature.annotations.get(name, Any) for name in free}, arguments


def _check_dict(node: Node, signature: Signature, bound: Mapping[str, Any], item: Any, index: int) -> None:
    if isinstance(item, Operand):
        if (got := mismatch(item, dict)) is not None:
            _say(node, "expand-list", f"item [{index}] is no dict of arguments", expected="a dict", got=got,
                 fix="give a list of dicts")  # fmt: skip
        return
    if not isinstance(item, dict):
        _say(node, "expand-list", f"item [{index}] is no dict of arguments", expected="a dict", got=repr(item),
             fix=f"use {signature.name}.expand(x=...) for a list of values")  # fmt: skip
        return
    given, problems = signature.bind((), item, bound)
    _note(node, [dataclasses.replace(one, what=f"item [{index}]: {one.what}") for one in problems])
    for name in item if not problems else ():
        got = mismatch(given[name], signature.annotations.get(name, Any))
        if got is not None:
            _wrong_type(node, f"{name!r} of item [{index}]", signature.annotations[name], got, signature.name)


def _bind(node: Node, name: str, value: Any) -> Binding:
    """The binding of a list; what is no list is reported."""
    where = f"argument {name!r}" if name else "expand_kwargs()"
    if not isinstance(value, (list, tuple, Operand)):
        _say(node, "expand-list", f"{where} is to be mapped over, but is no list",
             expected="a list or a reference to one", got=repr(value), fix=_list_fix(value, name))  # fmt: skip
        value = []
    elif value is not BROKEN and _item_type(value) is BROKEN:
        assert isinstance(value, Operand)  # a list that is written down has items
        got = mismatch(value, list) or type_name(annotation_of(value))
        _say(node, "expand-list", f"{where} is to be mapped over, but is no list", expected="a list", got=got,
             fix="return a list from the task, or pass the value by partial()")  # fmt: skip
        value = []
    try:
        return to_binding(value, node)
    except BindingError as error:
        _say(node, error.code, f"{error.where(name)}: {error.what}", fix=error.fix)
        return to_binding([], node)


def _list_fix(value: Any, name: str) -> str:
    if isinstance(value, (range, set, frozenset)) or hasattr(value, "__next__"):
        return "write sorted(...)" if isinstance(value, (set, frozenset)) else "write list(...)"
    if isinstance(value, dict):
        return "write list(d.items()) or list(d), or use expand_kwargs() for a list of dicts"
    return f"write [{value!r}], or pass it by partial({name or 'x'}=...)"


def _item_type(value: Any) -> Any:
    """Annotation of the items of a list or of a reference to one; ``BROKEN`` when it can be no list."""
    if value is BROKEN or not isinstance(value, (Operand, list, tuple)):
        return BROKEN if value is not BROKEN else Any
    if not isinstance(value, Operand):
        kinds = {type(item) if not isinstance(item, Operand) else Any for item in value}
        return kinds.pop() if len(kinds) == 1 else Any
    found = []
    for one in members(annotation_of(value)):
        if kind_of(one) in (None, "list") and one is not type(None):
            found.append(item_types(one))
    if not found:
        return BROKEN
    if len(found) > 1 or found[0] is None:
        return Any
    return found[0][0] if len(set(found[0])) == 1 else Union[found[0]]  # noqa: UP007


def _check_items(node: Node, name: str, value: Any, target: Any, callee: str) -> None:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            if (got := mismatch(item, target)) is not None:
                return _wrong_type(node, f"{name!r} at [{index}]", target, got, callee)
    elif isinstance(value, Operand) and value is not BROKEN:
        one = _item_type(value)
        if one is not BROKEN and not can_be(one, target):
            _wrong_type(node, repr(name), target, f"{type_name(one)} from {value._described()}", callee)
    return None


def _wrong_type(node: Node, where: str, target: Any, got: str, callee: str) -> None:
    _say(node, "edge-type", f"argument {where} of {callee}() can never have the type that it is annotated with",
         expected=type_name(target), got=got,
         fix=f"pass a list of what {callee}() expects, or correct the annotation")  # fmt: skip


def _check_lengths(node: Node, lists: Mapping[str, Any]) -> None:
    lengths = {name: len(value) for name, value in lists.items() if isinstance(value, (list, tuple))}
    if len(set(lengths.values())) > 1:
        got = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        _say(node, "expand-lengths", "the lists to be zipped have different lengths",
             expected="lists of the same length", got=got,
             fix="make them equally long, or use how='product'")  # fmt: skip


def _note(node: Node, problems: list[Problem]) -> None:
    source = node.source
    node.trace.problems.extend(
        dataclasses.replace(one, file=source.file, line=source.line, task=node.id) for one in problems
    )


def _say(node: Node, code: str, what: str, **details: str | None) -> None:
    report(code, what, task=node.id, source=node.source, **details)

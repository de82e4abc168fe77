"""Bodies: what a mapped group, a loop or a DAG function returns, and groups run once per item."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from stepweave.authoring.bindings import BindingError, to_binding
from stepweave.authoring.edges import annotation_of
from stepweave.authoring.items import Items
from stepweave.authoring.mapping import expand
from stepweave.authoring.nodes import ItemNode, Node
from stepweave.authoring.options import TaskOptions, resolve
from stepweave.authoring.references import BROKEN, Operand, Reference
from stepweave.authoring.signatures import signature_of
from stepweave.authoring.source import here
from stepweave.authoring.trace import Trace, report
from stepweave.graph.model import Binding, DictOf, Expression, ListOf, Source


def returned(trace: Trace, owner: str, value: Any, source: Source, what: str) -> Binding | None:
    """The binding of a value in the scope that is open now; None for nothing, or reported, for what cannot be one."""
    if value is None or value is BROKEN:
        return None
    probe = Node(trace=trace, id=owner, options=TaskOptions(), source=source)
    try:
        binding = to_binding(value, probe)
        if holds_expression(binding):
            raise BindingError(
                "result-expression", "it holds a computed value", "compute it in a task and return that"
            )
        return binding
    except BindingError as error:
        trail = "".join(f"[{key!r}]" for key in error.trail)
        where = f"{what}{f' at {trail}' if trail else ''}"
        report(error.code, f"{where}: {error.what}", task=owner or None, fix=error.fix, source=source)
        return None


def holds_expression(binding: Binding) -> bool:
    """Whether something in ``binding`` is computed by the state machine, so that no store ever holds it."""
    match binding:
        case Expression():
            return True
        case ListOf(items=items):
            return any(holds_expression(item) for item in items)
        case DictOf(items=pairs):
            return any(holds_expression(item) for _, item in pairs)
        case _:
            return False


def type_of(value: Any) -> Any:
    """The annotation of a reference, or the type of a literal or container."""
    if isinstance(value, Operand):
        return annotation_of(value)
    return Any if value is None else type(value)


def call_mapped(
    trace: Trace,
    name: str,
    function: Callable[..., Any],
    bound: Mapping[str, Any],
    items: Items,
    options: Mapping[str, Any],
    default_args: Mapping[str, Any],
) -> Reference:
    """A reference to the list of what ``function``, a group of tasks, returns for each item; it is traced once."""
    source, signature = here(), signature_of(function)
    node = Node(
        trace=trace,
        id=trace.unique_id(trace.prefixed(name)),
        options=resolve(options)[0],
        source=source,
        doc=inspect.cleandoc(function.__doc__ or ""),
    )
    plain, mapped = expand(node, signature, bound, items)
    trace.add(node)
    with trace.body_of(node, default_args) as body:
        given = dict.fromkeys(signature.required, BROKEN) | plain
        for parameter, annotation in mapped.items():
            declared = signature.annotations.get(parameter, Any)
            item = ItemNode(node, body, parameter)
            given[parameter] = Reference(item, annotation if declared is Any else declared)
        value = function(**given)
        node.result = returned(trace, node.id, value, source, f"what {name}() returns")
    if not body.nodes:
        report(
            "empty-group",
            f"the mapped group {node.id!r} calls no task",
            fix="call a task inside the group",
            source=source,
        )
    kind = type(None) if value is None else type_of(value)
    return Reference(node, list[kind])  # type: ignore[valid-type]

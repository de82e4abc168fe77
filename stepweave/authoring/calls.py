"""A call of a task inside a DAG function, as a node of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from stepweave.authoring.bindings import BindingError, to_binding
from stepweave.authoring.conditions import If
from stepweave.authoring.contracts import type_name
from stepweave.authoring.edges import mismatch
from stepweave.authoring.fallbacks import attach
from stepweave.authoring.items import Items
from stepweave.authoring.mapping import expand
from stepweave.authoring.nodes import GroupNode, Node
from stepweave.authoring.option_values import OF_MAPPED
from stepweave.authoring.options import TaskOptions, conflicts, contradictions, merge, resolve
from stepweave.authoring.references import Reference
from stepweave.authoring.signatures import Signature
from stepweave.authoring.source import here
from stepweave.authoring.trace import Trace, located, report
from stepweave.graph.constructs import GO, Decision, Sensor
from stepweave.graph.model import Source
from stepweave.runtime.pokes import PokeReturn

if TYPE_CHECKING:
    from stepweave.authoring.tasks import TaskFunction

_WEEK_SECONDS = 7 * 24 * 3600


def call(
    trace: Trace,
    task: TaskFunction[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    items: Items | None = None,
) -> Reference:
    """A reference to the value of a new task of the DAG; with ``items`` to the list of the values of all items."""
    source = here()
    options = _options(trace, task, source)
    if options.when is None:
        return _called(trace, task, options, source, args, kwargs, items)
    with If(options.when):
        value = _called(trace, task, options, source, args, kwargs, items)
    trace.scope.chain = None  # an Else after it would belong to nothing that is written there
    return value


def _called(
    trace: Trace,
    task: TaskFunction[..., Any],
    options: TaskOptions,
    source: Source,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    items: Items | None,
) -> Reference:
    definition = task._definition
    signature = definition.signature
    node = Node(
        trace=trace,
        id=_id(trace, task, options, source),
        function=definition.function,
        options=options,
        doc=definition.doc if options.doc is None else options.doc,
        source=source,
    )
    _specialise(node, definition.kind)
    typed, returns = True, _value_type(definition.kind, signature.returns)
    mapped: tuple[str, ...] = ()
    if items is None:
        given, problems = signature.bind(args, kwargs, task._bound)
        trace.problems.extend(located(problem, source, node.id) for problem in problems)
        typed = not problems
        _refuse_map_options(task, node)
    else:
        given, by_item = expand(node, signature, task._bound, items)
        mapped, returns = tuple(by_item), list[returns]  # type: ignore[valid-type]
        _refuse_mapped_kind(definition.kind, node)
    for name, value in given.items():
        _give(node, name, value, signature, typed=typed)
    if options.degrade or options.compensate is not None:
        problems = list(attach(node, signature, mapped))
        trace.problems.extend(located(problem, source, node.id) for problem in problems)
    trace.add(node)
    return Reference(node, returns)


def _value_type(kind: str, annotation: Any) -> Any:
    """The type of the task's value: what a sensor hands on in a ``PokeReturn`` is not said by its annotation."""
    if kind == "sensor" and PokeReturn in (annotation, *get_args(annotation)):
        return Any
    return annotation


def _specialise(node: Node, kind: str) -> None:
    options = node.options
    if kind == "branch":
        node.forms["decides"] = Decision(kind="branch", cases=())  # known when the DAG function has ended
    elif kind == "short_circuit":
        node.forms["decides"] = Decision(kind="short_circuit", cases=(GO,))
    elif kind == "sensor":
        poking = options.poking
        node.forms["sensor"] = Sensor(
            interval_seconds=poking.poke_interval,
            backoff=poking.backoff,
            max_interval_seconds=poking.max_interval,
            timeout_seconds=_WEEK_SECONDS if options.timeout_seconds is None else options.timeout_seconds,
            soft_fail=poking.soft_fail,
        )


def _refuse_mapped_kind(kind: str, node: Node) -> None:
    if kind != "task":
        report(
            "expand-kind",
            f"a task made by @task.{kind} cannot be mapped by itself",
            task=node.id,
            fix="call it inside a @task_group function, and map that: group.expand(...)",
            source=node.source,
        )


def _refuse_map_options(task: TaskFunction[..., Any], node: Node) -> None:
    for name in sorted(OF_MAPPED & task._overrides.keys()):
        report(
            "option-kind",
            f"option {name!r} is given for a call that is not mapped",
            task=node.id,
            fix=f"map the task, {task.__name__}.override(...).expand(...), or leave {name} out",
            source=node.source,
        )


def _give(node: Node, name: str, value: Any, signature: Signature, *, typed: bool) -> None:
    """Bind one argument, checked against the parameter's annotation if ``typed``."""
    try:
        node.arguments.append((name, to_binding(value, node)))
    except BindingError as error:
        report(
            error.code, f"{error.where(name)}: {error.what}", task=node.id, fix=error.fix, source=node.source
        )
        return
    target = signature.annotations.get(name, Any) if typed else Any
    if (got := mismatch(value, target)) is not None:
        report(
            "edge-type",
            f"argument {name!r} of {signature.name}() can never have the type that it is annotated with",
            task=node.id,
            expected=type_name(target),
            got=got,
            fix=f"pass what {signature.name}() expects, or correct the annotation",
            source=node.source,
        )


def _id(trace: Trace, task: TaskFunction[..., Any], options: TaskOptions, source: Source) -> str:
    name = options.task_id or task._definition.function.__name__
    wanted = trace.prefixed(name)
    # An id that was chosen for one task must not change; one that a function lends to every call of it may.
    users = trace.caches.setdefault("users of ids", {})
    first = users.setdefault(wanted, task._definition)
    chosen = "task_id" in task._overrides or (options.task_id is not None and first is not task._definition)
    if chosen and trace.is_taken(wanted):
        report(
            "duplicate-id",
            f"two tasks have the id {wanted!r}",
            task=wanted,
            fix="give each task_id once, or leave it out: repeated calls get __1, __2, ...",
            source=source,
        )
    return trace.unique_id(wanted)


def _options(trace: Trace, task: TaskFunction[..., Any], source: Source) -> TaskOptions:
    """The options of a call; mistakes in a layer are reported once, where the layer was written."""
    definition = task._definition
    if definition not in trace.caches:
        trace.caches[definition] = True
        trace.problems.extend(definition.problems())
    if task._overrides:
        found = (*conflicts(task._overrides, definition.kind), *resolve(task._overrides)[1])
        trace.problems.extend(located(problem, source, definition.signature.name) for problem in found)
        options = resolve(merge((*_defaults(trace), definition.options, task._overrides)))[0]
        return _consistent(trace, task, options, source)
    key = (definition, trace.group)
    known: TaskOptions | None = trace.caches.get(key)
    if known is None:
        known = resolve(merge((*_defaults(trace), definition.options)))[0]
        trace.caches[key] = _consistent(trace, task, known, source)
    return known


def _consistent(
    trace: Trace, task: TaskFunction[..., Any], options: TaskOptions, source: Source
) -> TaskOptions:
    for problem in contradictions(options):
        trace.problems.append(located(problem, source, task._definition.signature.name))
    return options


def _defaults(trace: Trace) -> list[Mapping[str, Any]]:
    """``default_args`` of the DAG and of the groups that are open, outermost first."""
    layers: list[Mapping[str, Any]] = []
    group: GroupNode | None = trace.group
    while group is not None:
        layers.insert(0, group.default_args)
        group = group.parent
    return [trace.default_args, *layers]

"""A DAG inside a DAG: its tasks inlined as a group, or an execution of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stepweave.authoring.bindings import BindingError, holds_references, native
from stepweave.authoring.contracts import type_name
from stepweave.authoring.edges import mismatch
from stepweave.authoring.nodes import GivenNode, Node
from stepweave.authoring.options import TaskOptions
from stepweave.authoring.params import REQUIRED, DeclaredParam
from stepweave.authoring.references import BROKEN, Reference
from stepweave.authoring.source import here
from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.trace import Trace, report
from stepweave.errors import DagError, ParamsError
from stepweave.graph.constructs import NestedDag
from stepweave.graph.model import Binding, Literal, ParamSpec

if TYPE_CHECKING:
    from stepweave.authoring.dags import Dag


def inline_params(trace: Trace, dag: Dag, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the params of a DAG that is called inside another, complete with defaults.

    What is known now is a reference all the same: the DAG function was written for references.
    """
    specs, problems = dag.param_specs()
    if (dag, "declared") not in trace.caches:
        trace.caches[dag, "declared"] = True
        trace.problems += [replace(one, file=dag.source.file, line=dag.source.line) for one in problems]
    given = _given(dag, args, kwargs)
    defaults = _defaults(specs)
    values: dict[str, Any] = {}
    for param in dag.params:
        value = given.get(param.name, BROKEN)
        if param.name not in given and param.name in defaults:
            value = json.loads(defaults[param.name])
        if isinstance(value, Reference) and value._origin is not None and param.annotation is not Any:
            value = Reference(value._origin, param.annotation, value._path)
        elif value is not BROKEN and not _is_run_value(value):
            annotation = type(value) if param.annotation is Any else param.annotation
            value = Reference(GivenNode(trace, param.name, value), annotation)
        values[param.name] = value
    return values


def as_execution(trace: Trace, dag: Dag, params: Mapping[str, Any]) -> Any:
    """A reference to what the DAG function returns in an execution of its own."""
    source = here()
    if is_cycle(trace, dag):
        return BROKEN
    try:
        traced = dag.traced()
    except DagError as error:
        trace.problems.extend(error.problems)
        return BROKEN
    node = Node(
        trace=trace,
        id=trace.unique_id(trace.prefixed(dag.id)),
        options=TaskOptions(),
        source=source,
        doc=traced.graph.dag.doc,
    )
    node.forms["nested"] = NestedDag(
        dag=dag.id,
        call=dag.importable_name(),
        params=tuple(_bindings(node, dag, params)),
        result=traced.result,
        version=traced.graph.dag.version,
    )
    if traced.unusable:
        report(
            "dag-result",
            f"what DAG {dag.id!r} returns cannot be the value of an execution: {traced.unusable}",
            task=node.id,
            fix="return references, or lists and dicts of them",
            source=source,
        )
    trace.add(node)
    return Reference(node, traced.returns)


def _bindings(node: Node, dag: Dag, params: Mapping[str, Any]) -> Iterator[tuple[str, Binding]]:
    """All params of an execution: given ones, and defaults."""
    given, defaults = _given(dag, (), params), _defaults(dag.param_specs()[0])
    for param in dag.params:
        if param.name in given:
            yield param.name, _native(node, param.name, given[param.name])
        elif param.name in defaults:
            yield param.name, Literal(json=defaults[param.name])


def is_cycle(trace: Trace, dag: Dag) -> bool:
    """Whether ``dag`` is being written already, by the DAG function that calls it; reported."""
    if dag.id not in trace.calling:
        return False
    chain = [*trace.calling[trace.calling.index(dag.id) :], dag.id]
    report(
        "dag-cycle",
        f"DAGs call each other without end: {' → '.join(chain)}",
        expected="DAGs that call others, down to some that call none",
        fix="take what both need into a third DAG, or use Loop to repeat something",
    )
    return True


def _native(node: Node, name: str, value: Any) -> Binding:
    try:
        return native(value, node)
    except BindingError as error:
        report(
            error.code, f"{error.where(name)}: {error.what}", task=node.id, fix=error.fix, source=node.source
        )
        return Literal(json="null")


def _defaults(specs: Iterable[ParamSpec]) -> dict[str, str]:
    """JSON texts of the defaults by param."""
    return {spec.name: spec.default_json for spec in specs if spec.default_json is not None}


def _given(dag: Dag, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The params that are given, checked; what is wrong is reported, and stands for a mistake."""
    names = [param.name for param in dag.params]
    given = dict(zip(names, args, strict=False))
    if len(args) > len(names):
        _say(dag, "unexpected-argument", f"{len(args)} arguments are given by position, {len(names)} can be",
             "leave out what is too many")  # fmt: skip
    for name, value in kwargs.items():
        if name in given:
            _say(dag, "unexpected-argument", f"argument {name!r} is given twice", f"give {name} once")
        elif name not in names:
            _say(dag, "unexpected-argument", f"unexpected argument {name!r}", did_you_mean(name, names))
        else:
            given[name] = value
    missing = [
        one.name for one in dag.params if one.declaration.default is REQUIRED and one.name not in given
    ]
    if missing:
        _say(dag, "missing-argument", f"missing argument {', '.join(map(repr, missing))}",
             f"give {', '.join(f'{name}=...' for name in missing)}")  # fmt: skip
    declared = {param.name: param for param in dag.params}
    return {name: _checked(dag, declared[name], value) for name, value in given.items()}


def _checked(dag: Dag, param: DeclaredParam, value: Any) -> Any:
    if value is BROKEN or (_is_run_value(value) and _fits(dag, param, value)):
        return value
    if _is_run_value(value):
        return BROKEN
    try:
        return dag.validate_param(param, value)
    except ParamsError as error:
        for one in error.problems:
            report(one.code, f"DAG {dag.id!r}: {one.what}", expected=one.expected, got=one.got, fix=one.fix)
        return BROKEN


def _is_run_value(value: Any) -> bool:
    """Whether ``value`` is, or holds, something that is known only in a run."""
    try:
        return holds_references(value)
    except BindingError:  # a date, say, which the declaration of the param may allow
        return False


def _fits(dag: Dag, param: DeclaredParam, value: Any) -> bool:
    got = mismatch(value, param.annotation)
    if got is not None:
        report(
            "edge-type",
            f"param {param.name!r} of DAG {dag.id!r} can never have the type that it is annotated with",
            expected=type_name(param.annotation),
            got=got,
            fix="pass what the DAG expects, or correct the annotation",
        )
    return got is None


def _say(dag: Dag, code: str, what: str, fix: str) -> None:
    report(code, f"DAG {dag.id!r}: {what}", fix=fix)

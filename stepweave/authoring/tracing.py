"""Running a DAG function once, on references, and what comes of it: a checked graph, or all mistakes together."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepweave.authoring.bindings import BindingError, to_binding
from stepweave.authoring.bodies import holds_expression, type_of
from stepweave.authoring.finishing import finish
from stepweave.authoring.modules import importable_name
from stepweave.authoring.nodes import Node, ParamNode
from stepweave.authoring.options import TaskOptions
from stepweave.authoring.references import BROKEN, Reference
from stepweave.authoring.shapes import hints
from stepweave.authoring.shipping import all_permissions, common_requirements
from stepweave.authoring.source import is_ours, shown
from stepweave.authoring.trace import Trace, current
from stepweave.errors import DagError, Problem
from stepweave.graph.checks import check
from stepweave.graph.contradictions import contradictions
from stepweave.graph.model import Binding, DagInfo, Graph, ParamSpec, Source

if TYPE_CHECKING:
    from stepweave.authoring.dags import Dag

_ON_FAILURE, _ON_SUCCESS = "~on_failure", "~on_success"


@dataclass(frozen=True, slots=True)
class Traced:
    """What came of running a DAG function."""

    graph: Graph
    functions: Mapping[str, Callable[..., Any]]
    """Plain functions by task id (``train``) or role (``train~undo``)."""
    result: Binding | None
    """What the DAG function returned."""
    returns: Any
    """Its type."""
    unusable: str
    """Why what it returned can be no value; empty when it can."""


def trace_dag(dag: Dag) -> Traced:
    """The traced and checked graph of ``dag``. Raises ``DagError`` with all mistakes."""
    specs, problems = dag.param_specs()
    problems = [*problems, *not_plain(dag.function)]
    outer = current()
    trace = Trace(dag.options.default_args)
    trace.calling = [*(outer.calling if outer else ()), dag.id]
    value, cause = _run(dag, trace)
    result, unusable = _returned(trace, dag.source, value)
    names = _Names(dag.importable_name())
    graph = finish(trace, _info(dag, specs, names, trace), names.of, result)
    trace.problems.extend(trace.unopened.values())
    located = [dataclasses.replace(one, file=dag.source.file, line=dag.source.line) for one in problems]
    found = _sorted(_with_those_of_graph([*located, *trace.problems], graph))
    if found:
        raise DagError(found) from cause
    declared = hints(dag.function).get("return", Any)
    returns = type_of(value) if declared is Any else declared
    return Traced(graph, _functions(dag, trace), result, returns, unusable)


def _run(dag: Dag, trace: Trace) -> tuple[Any, Exception | None]:
    """What the DAG function returned or raised."""
    params = {param.name: Reference(ParamNode(trace, param.name), param.annotation) for param in dag.params}
    with trace:
        try:
            return (None if not_plain(dag.function) else dag.function(**params)), None
        except Exception as error:  # whatever a user's function raises is a mistake to report with the others
            _note_exception(trace, error, dag.source)
            return None, error


def _returned(trace: Trace, source: Source, value: Any) -> tuple[Binding | None, str]:
    """The binding of what the DAG function returned, and why there is none: only who uses it need know."""
    if value is None or value is BROKEN:
        return None, ""
    try:
        binding = to_binding(value, Node(trace=trace, id="", options=TaskOptions(), source=source))
    except BindingError as error:
        return None, error.what
    return (None, "it holds a computed value") if holds_expression(binding) else (binding, "")


class _Names:
    """Names by which another process finds functions: by import, else by tracing the DAG."""

    def __init__(self, dag: str) -> None:
        self._dag = dag
        self._known: dict[Callable[..., Any], str | None] = {}

    def of(self, function: Callable[..., Any], role: str) -> str:
        """The call of a function that has this role in the DAG."""
        if function not in self._known:
            self._known[function] = importable_name(function)
        return self._known[function] or f"{self._dag}#{role}"


def _told(dag: Dag) -> dict[str, Callable[..., Any]]:
    """Functions that are told how a run ended, by role."""
    given = {_ON_FAILURE: dag.options.on_failure, _ON_SUCCESS: dag.options.on_success}
    return {role: getattr(one, "function", one) for role, one in given.items() if one is not None}


def _functions(dag: Dag, trace: Trace) -> dict[str, Callable[..., Any]]:
    found = _told(dag)
    for node in trace.nodes.values():
        if node.function is not None:
            found[node.id] = node.function
        for role, function in node.others.items():
            found[f"{node.id}~{role}"] = function
    return found


def _info(dag: Dag, params: tuple[ParamSpec, ...], names: _Names, trace: Trace) -> DagInfo:
    options = dag.options
    dags = [dag.options, *(inner.options for inner in trace.inlined)]
    calls = {role: names.of(function, role) for role, function in _told(dag).items()}
    return DagInfo(
        id=dag.id,
        module=dag.module,
        doc=inspect.cleandoc(dag.function.__doc__ or "") if options.doc is None else options.doc,
        params=params,
        schedule=options.schedule.as_text() if options.schedule else None,
        triggers=options.triggers,
        tags=options.tags,
        owner=options.owner,
        fail_fast=options.fail_fast,
        max_failed_tasks=options.max_failed_tasks,
        retries=options.retries,
        on_failure=calls.get(_ON_FAILURE, ""),
        on_success=calls.get(_ON_SUCCESS, ""),
        version=options.version,
        timeout_seconds=options.timeout,
        max_active_runs=options.max_active_runs,
        requirements=common_requirements(dags),
        permissions=all_permissions(dags, trace),
        source=dag.source,
    )


def _note_exception(trace: Trace, error: Exception, source: Source) -> None:
    """Report what the DAG function raised, at the user's line, unless a mistake on that line is the reason."""
    if isinstance(error, DagError):
        trace.problems.extend(error.problems)
        return
    step, inside = error.__traceback__, True
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not is_ours(file):
            source = Source(file=shown(file), line=step.tb_lineno)
        inside = is_ours(file)
        step = step.tb_next
    if any((problem.file, problem.line) == (source.file, source.line) for problem in trace.problems):
        return
    trace.problems.append(
        Problem(
            what=f"the DAG function raised {type(error).__name__}: {error}",
            code="dag-raised",
            file=source.file,
            line=source.line,
            fix=_advice(error, inside),
        )
    )


def _advice(error: Exception, inside: bool) -> str:
    """What to do about what the user's line raised, or with ``inside`` what we raised because of it."""
    if isinstance(error, TypeError) and "context manager" in str(error):
        return "a block is opened by a call: write `with If(condition):`, `with Else():`, `with task_group('name'):`"
    if isinstance(error, TypeError) and "argument" in str(error) and not inside:
        return "correct this call; arguments that have no position are given by name"
    return "correct this line; what needs a value of the run belongs in a task"


def _with_those_of_graph(found: list[Problem], graph: Graph) -> list[Problem]:
    """Mistakes with those of the graph; that it is empty is none where a mistake kept tasks from being called."""
    of_graph = [*check(graph), *contradictions(graph)]
    return found + [problem for problem in of_graph if not (problem.code == "empty-dag" and found)]


def _sorted(problems: list[Problem]) -> list[Problem]:
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda problem: (problem.file or "", problem.line or 0))


def not_plain(function: Callable[..., Any]) -> list[Problem]:
    """What keeps a function from being a DAG function."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        what = "the DAG function is async or a generator"
        return [
            Problem(
                what=what, code="dag-signature", expected="a plain function", fix="leave async and yield out"
            )
        ]
    return []

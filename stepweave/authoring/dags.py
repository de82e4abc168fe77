"""``@dag``: a function whose task calls are a DAG."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from stepweave.authoring.dag_options import DagOptions, read
from stepweave.authoring.modules import importable_name, module_name
from stepweave.authoring.params import DeclaredParam, declared_params, from_text
from stepweave.authoring.references import BROKEN, Reference
from stepweave.authoring.schedule import Schedule
from stepweave.authoring.simple_params import simple_specs, simple_values
from stepweave.authoring.source import here, is_ours, shown
from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.trace import ParamNode, Trace, current, report
from stepweave.errors import DagError, Problem, UsageError
from stepweave.graph.checks import check
from stepweave.graph.model import DagInfo, Graph, ParamSpec, Source, Task

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class _Traced:
    graph: Graph
    functions: Mapping[str, Callable[..., Any]]


class Dag:
    """A DAG: a function that is traced once, when its graph is first asked for."""

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        """The plain function."""
        self.module = module_name(function.__module__)
        """Importable name of the module that defines it."""
        self.source = Source(file=shown(function.__code__.co_filename), line=function.__code__.co_firstlineno)
        self._options, self._option_problems = read(options)
        self._traced: _Traced | None = None

    @property
    def id(self) -> str:
        """The DAG's id: ``dag_id`` of the decorator, else the function's name."""
        return self._options.dag_id or self.function.__name__

    @property
    def schedule(self) -> Schedule | None:
        """When the DAG starts by the clock; None when it does not, or when the schedule is a mistake."""
        return self._options.schedule

    def graph(self) -> Graph:
        """The traced and checked graph. Raises ``DagError`` with all mistakes."""
        return self._trace().graph

    def task_function(self, task_id: str) -> Callable[..., Any]:
        """The plain function behind a task id. Raises ``UsageError`` when the DAG has no such task."""
        functions = self._trace().functions
        if task_id not in functions:
            raise UsageError(f"DAG {self.id!r} has no task {task_id!r}; {did_you_mean(task_id, functions)}")
        return functions[task_id]

    def params_model(self) -> type[BaseModel]:
        """A pydantic model of the DAG's params."""
        model: type[BaseModel] = _validation().params_model(self.id, self._params)
        return model

    def validate_params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The params of a run with defaults filled in, as JSON values. Raises ``ParamsError`` with all mistakes."""
        complete = simple_values(self._params, values)
        if complete is None:
            complete = _validation().validate(self.params_model(), values)
        return complete

    def params_from_text(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Values for :meth:`validate_params` from a command line's ``name=text`` pairs, read as declared."""
        return from_text(self._params, texts)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Itself, so that Airflow's ``my_dag()`` at the end of a module does no harm."""
        if current() is not None:
            report(
                "dag-in-dag",
                f"DAG {self.id!r} is called inside another DAG, which is not available yet",
                fix="call its tasks, or share them as a function decorated with @task_group",
            )
            return BROKEN
        if args or kwargs:
            raise UsageError(f"DAG {self.id!r} is not run by calling it; run it with `stepweave run`")
        return self

    def __repr__(self) -> str:
        return f"<DAG {self.id}>"

    @functools.cached_property
    def _params(self) -> tuple[DeclaredParam, ...]:
        return declared_params(self.function)[0]

    def _trace(self) -> _Traced:
        if self._traced is None:
            self._traced = self._trace_now()
        return self._traced

    def _trace_now(self) -> _Traced:
        specs, problems = self._param_specs()
        trace = Trace(self._options.default_args)
        params = {
            param.name: Reference(ParamNode(trace, param.name), param.annotation) for param in self._params
        }
        cause: Exception | None = None
        with trace:
            try:
                if not _not_plain(self.function):
                    self.function(**params)
            except (
                Exception
            ) as error:  # whatever a user's function raises is a mistake to report with the others
                _note_exception(trace, error, self.source)
                cause = error
        graph = Graph(dag=self._info(self._options, specs), tasks=self._with_calls(trace))
        located = [dataclasses.replace(one, file=self.source.file, line=self.source.line) for one in problems]
        found = _sorted(_with_those_of_graph([*located, *trace.problems], graph))
        if found:
            raise DagError(found) from cause
        return _Traced(graph, {node.id: node.function for node in trace.nodes.values()})

    def _param_specs(self) -> tuple[tuple[ParamSpec, ...], list[Problem]]:
        problems = [*self._option_problems, *declared_params(self.function)[1], *_not_plain(self.function)]
        simple = simple_specs(self._params)
        if simple is not None:
            return simple, problems
        specs, more = _validation().param_specs(self._params)
        return specs, [*problems, *more]

    def _with_calls(self, trace: Trace) -> tuple[Task, ...]:
        """The tasks, each with the name by which another process finds its function."""
        names: dict[Callable[..., Any], str | None] = {}
        dag_name = self._importable_name()
        for node in trace.nodes.values():
            if node.function not in names:
                names[node.function] = importable_name(node.function)
            node.call = names[node.function] or f"{dag_name}#{node.id}"
        return trace.tasks()

    def _importable_name(self) -> str:
        name = importable_name(self.function)
        if name is None:
            module = sys.modules.get(self.function.__module__)
            named = (key for key, value in vars(module).items() if value is self) if module else iter(())
            name = f"{self.module}:{next(named, self.id)}"
        return name

    def _info(self, options: DagOptions, params: tuple[ParamSpec, ...]) -> DagInfo:
        return DagInfo(
            id=self.id,
            module=self.module,
            doc=inspect.cleandoc(self.function.__doc__ or "") if options.doc is None else options.doc,
            params=params,
            schedule=options.schedule.as_text() if options.schedule else None,
            triggers=options.triggers,
            tags=options.tags,
            owner=options.owner,
            fail_fast=options.fail_fast,
            timeout_seconds=options.timeout,
            source=self.source,
        )


def _validation() -> Any:
    """The module that checks params; it imports pydantic, which a DAG with simple params need not wait for."""
    return importlib.import_module("stepweave.authoring.validation")


def _note_exception(trace: Trace, error: Exception, source: Source) -> None:
    """Report what the DAG function raised, at the user's line, unless a mistake on that line is the reason."""
    step = error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not is_ours(file):
            source = Source(file=shown(file), line=step.tb_lineno)
        step = step.tb_next
    if any((problem.file, problem.line) == (source.file, source.line) for problem in trace.problems):
        return
    trace.problems.append(
        Problem(
            what=f"the DAG function raised {type(error).__name__}: {error}",
            code="dag-raised",
            file=source.file,
            line=source.line,
            fix="correct this line; what needs a value of the run belongs in a task",
        )
    )


def _with_those_of_graph(found: list[Problem], graph: Graph) -> list[Problem]:
    """Mistakes with those of the graph; that it is empty is none where a mistake kept tasks from being called."""
    return found + [problem for problem in check(graph) if not (problem.code == "empty-dag" and found)]


def _sorted(problems: list[Problem]) -> list[Problem]:
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda problem: (problem.file or "", problem.line or 0))


def _not_plain(function: Callable[..., Any]) -> list[Problem]:
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        what = "the DAG function is async or a generator"
        return [
            Problem(
                what=what, code="dag-signature", expected="a plain function", fix="leave async and yield out"
            )
        ]
    return []


@overload
def dag(function: Callable[..., Any], /) -> Dag: ...
@overload
def dag(function: None = None, /, **options: Any) -> Callable[[Callable[..., Any]], Dag]: ...
def dag(function: Any = None, /, **options: Any) -> Any:
    """A :class:`Dag` made of a function: ``@dag``, or with options ``@dag(schedule=Cron("0 6 * * 1-5"))``.

    Options: ``dag_id``, ``schedule``, ``triggers``, ``default_args``, ``tags``, ``owner``, ``fail_fast``, ``timeout``,
    ``doc``. A wrong option is reported when the DAG is traced.
    """
    if function is None:
        return lambda decorated: dag_of(decorated, options)
    return dag_of(function, options)


def dag_of(function: Any, options: Mapping[str, Any]) -> Dag:
    """The DAG of a function with these options. Raises ``DagError`` when it is no function."""
    if not inspect.isfunction(function):
        source = here()
        problem = Problem(
            what=f"@dag decorates {function!r}",
            code="dag-signature",
            file=source.file,
            line=source.line,
            expected="a function",
            fix="write @dag(dag_id=...) on a plain function",
        )
        raise DagError([problem])
    return Dag(function, options)

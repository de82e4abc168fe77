"""``@dag``: a function whose task calls are a DAG."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, overload

from stepweave.authoring.dag_options import DagOptions, read
from stepweave.authoring.groups import TaskGroup
from stepweave.authoring.lazily import when_needed
from stepweave.authoring.modules import MADE_HERE, importable_name, module_being_imported, module_name
from stepweave.authoring.params import DeclaredParam, declared_params, from_text
from stepweave.authoring.references import BROKEN
from stepweave.authoring.schedule import Schedule
from stepweave.authoring.simple_params import simple_specs, simple_values
from stepweave.authoring.source import here, shown
from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.trace import Trace, current, report
from stepweave.authoring.versions import check_version
from stepweave.errors import DagError, Problem, UsageError
from stepweave.graph.model import Graph, ParamSpec, Source

if TYPE_CHECKING:
    from pydantic import BaseModel

    from stepweave.authoring.tracing import Traced


class Dag:
    """A DAG: a function that is traced once, when its graph is first asked for."""

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        """The plain function."""
        self.options: DagOptions
        self.options, self._option_problems = read(options)
        self.made_in = self._register()
        """Name of the module in which it is found, as this process knows it."""
        self.module = module_name(self.made_in)
        """Importable name of that module."""
        self.source = Source(file=shown(function.__code__.co_filename), line=function.__code__.co_firstlineno)
        self._traced: Traced | None = None

    @property
    def id(self) -> str:
        """The DAG's id: ``dag_id`` of the decorator, else the function's name."""
        return self.options.dag_id or self.function.__name__

    @property
    def schedule(self) -> Schedule | None:
        """When the DAG starts by the clock; None when it does not, or when the schedule is a mistake."""
        return self.options.schedule

    @functools.cached_property
    def params(self) -> tuple[DeclaredParam, ...]:
        """The params as declared, in order."""
        return declared_params(self.function)[0]

    def graph(self) -> Graph:
        """The traced and checked graph. Raises ``DagError`` with all mistakes."""
        return self.traced().graph

    def traced(self) -> Traced:
        """What came of running the DAG function. Raises ``DagError`` with all mistakes."""
        if self._traced is None:
            self._traced = when_needed("tracing").trace_dag(self)
        return self._traced

    def task_function(self, task_id: str) -> Callable[..., Any]:
        """The plain function behind a task id. Raises ``UsageError`` when the DAG has no such task."""
        functions = self.traced().functions
        if task_id not in functions:
            raise UsageError(f"DAG {self.id!r} has no task {task_id!r}; {did_you_mean(task_id, functions)}")
        return functions[task_id]

    def params_model(self) -> type[BaseModel]:
        """A pydantic model of the DAG's params."""
        model: type[BaseModel] = when_needed("validation").params_model(self.id, self.params)
        return model

    def validate_params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The params of a run with defaults filled in, as JSON values. Raises ``ParamsError`` with all mistakes."""
        return self._validate(self.params, values)

    def validate_param(self, param: DeclaredParam, value: Any) -> Any:
        """One param as a JSON value. Raises ``ParamsError`` when it does not fit its declaration."""
        return self._validate((param,), {param.name: value})[param.name]

    def _validate(self, params: tuple[DeclaredParam, ...], values: Mapping[str, Any]) -> dict[str, Any]:
        complete = simple_values(params, values)
        if complete is None:
            validation = when_needed("validation")
            complete = validation.validate(validation.params_model(self.id, params), values)
        return complete

    def params_from_text(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Values for :meth:`validate_params` from a command line's ``name=text`` pairs, read as declared."""
        return from_text(self.params, texts)

    def param_specs(self) -> tuple[tuple[ParamSpec, ...], list[Problem]]:
        """The params as the graph carries them, and what is wrong with them and with the options of the DAG."""
        problems = [*self._option_problems, *declared_params(self.function)[1]]
        simple = simple_specs(self.params)
        if simple is not None:
            return simple, problems
        specs, more = when_needed("validation").param_specs(self.params)
        return specs, [*problems, *more]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Inside another DAG what the DAG function returns, its tasks in a group; anywhere else the DAG itself.

        So Airflow's ``my_dag()`` at the end of a module does no harm.
        """
        trace = current()
        if trace is not None:
            return self._inlined(trace, args, kwargs)
        if args or kwargs:
            raise UsageError(f"DAG {self.id!r} is not run by calling it; run it with `stepweave run`")
        return self

    def _inlined(self, trace: Trace, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        composition = when_needed("composition")
        if composition.is_cycle(trace, self):
            return BROKEN
        params = composition.inline_params(trace, self, args, kwargs)
        group = TaskGroup(self.id, self.options.default_args)
        group._open(repeated=True)
        trace.calling.append(self.id)
        trace.inlined.append(self)
        try:
            result = self.function(**params)
        finally:
            trace.calling.pop()
            group.__exit__()
        return group if result is None else result

    def as_execution(self, **params: Any) -> Any:
        """A reference to what the DAG returns in an execution of its own, started by the DAG that is written now."""
        trace = current()
        if trace is None:
            report("outside-dag", f"DAG {self.id!r} is started outside of a DAG",
                   fix="move it into a function decorated with @dag, or run it with `stepweave run`")  # fmt: skip
            return BROKEN
        return when_needed("composition").as_execution(trace, self, params)

    def require(self, versions: str) -> Dag:
        """Itself if its ``version`` is as asked, e.g. ``">=1.1,<2"``. Raises ``DagError`` otherwise."""
        check_version(f"DAG {self.id!r}", self.options.version, versions)
        return self

    def __repr__(self) -> str:
        return f"<DAG {self.id}>"

    def importable_name(self) -> str:
        """``module:name`` by which another process finds the DAG, or ``module:dag_id`` if it is bound to no name."""
        name = importable_name(self.function, self)
        if name is None:
            module = sys.modules.get(self.made_in)
            named = (key for key, value in vars(module).items() if value is self) if module else iter(())
            name = f"{self.module}:{next(named, self.id)}"
        return name

    def _register(self) -> str:
        """The name of the module that makes this DAG, which from now on knows it."""
        home = module_being_imported()
        if home is None:
            return self.function.__module__
        home.setdefault(MADE_HERE, []).append(self)
        return str(home["__name__"])


@overload
def dag(function: Callable[..., Any], /) -> Dag: ...
@overload
def dag(function: None = None, /, **options: Any) -> Callable[[Callable[..., Any]], Dag]: ...
def dag(function: Any = None, /, **options: Any) -> Any:
    """A :class:`Dag` made of a function: ``@dag``, or with options ``@dag(schedule=Cron("0 6 * * 1-5"))``.

    Options: ``dag_id``, ``schedule``, ``triggers``, ``default_args``, ``tags``, ``owner``, ``fail_fast``,
    ``max_failed_tasks``, ``retries``, ``on_failure``, ``on_success``, ``timeout``, ``version``, ``doc``,
    ``max_active_runs``, ``requirements``, ``permissions``. A wrong option is reported when the DAG is traced.
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

"""``@task``: a function that is a task inside a DAG function, and itself anywhere else."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Literal, ParamSpec, TypeAlias, TypeVar, overload

from stepweave.authoring.items import KWARGS, Items, items_of
from stepweave.authoring.lazily import when_needed
from stepweave.authoring.options import conflicts, merge, resolve
from stepweave.authoring.ordering import OrderOperators
from stepweave.authoring.references import BROKEN
from stepweave.authoring.signatures import Signature, signature_of
from stepweave.authoring.source import here, shown
from stepweave.authoring.trace import current, located, report
from stepweave.authoring.versions import check_version
from stepweave.errors import DagError, Problem
from stepweave.graph.model import Source

P = ParamSpec("P")
R = TypeVar("R")
Kind: TypeAlias = Literal["task", "branch", "short_circuit", "sensor"]


class Definition:
    """What all calls of a task have in common: the function and the options of its decorator."""

    def __init__(
        self, function: Callable[..., Any], options: Mapping[str, Any], source: Source, kind: Kind
    ) -> None:
        self.function = function
        self.options = options
        self.source = source
        self.kind = kind

    @functools.cached_property
    def signature(self) -> Signature:
        """Signature of the function; read when the task is first called in a DAG."""
        return signature_of(self.function)

    @functools.cached_property
    def doc(self) -> str:
        """The function's docstring, without its indentation."""
        return inspect.cleandoc(self.function.__doc__ or "")

    def problems(self) -> Iterable[Problem]:
        """What is wrong before any call."""
        found = (*self.signature.problems, *conflicts(self.options, self.kind), *resolve(self.options)[1])
        return (located(problem, self.source, self.signature.name) for problem in found)


class TaskFunction(OrderOperators, Generic[P, R]):
    """A task function. Called inside a DAG function it adds a task and returns a reference to its value.

    Its ``>>`` and ``<<`` are a mistake that is reported: only the result of a call can be put in order.
    """

    __name__: str

    def __init__(
        self,
        definition: Definition,
        overrides: Mapping[str, Any] | None = None,
        bound: Mapping[str, Any] | None = None,
    ) -> None:
        functools.update_wrapper(self, definition.function)
        self._definition = definition
        self._overrides = overrides or {}
        self._bound = bound or {}

    @property
    def function(self) -> Callable[P, R]:
        """The plain function."""
        return self._definition.function

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of the decorator and of ``override``, as written."""
        return merge((self._definition.options, self._overrides))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        trace = current()
        if trace is None:
            if self._bound:
                given, _ = self._definition.signature.bind(args, kwargs, self._bound)
                return self._definition.function(**given)
            return self._definition.function(*args, **kwargs)
        return when_needed("calls").call(trace, self, args, kwargs)

    def override(self, **options: Any) -> TaskFunction[P, R]:
        """The same task with other options: ``train.override(task_id="train_big", memory="60GiB")``.

        ``when=best["auc"] > 0.8`` makes this one call conditional, as an ``If`` around it does.
        """
        return TaskFunction(self._definition, merge((self._overrides, options)), self._bound)

    def partial(self, **arguments: Any) -> TaskFunction[..., R]:
        """The same task with some arguments given; positions then count the rest: ``train.partial(rows=r)("svm")``."""
        return TaskFunction(self._definition, self._overrides, {**self._bound, **arguments})

    def expand(self, *, how: Literal["product", "zip"] = "product", **lists: Any) -> Any:
        """A reference to the list of results of the task, run once per item: ``train.expand(model=["svm", "tree"])``.

        Several lists give all combinations, the last list changing fastest; with ``how="zip"`` the first items of all
        go together, then the second ones.
        """
        return self._mapped(items_of(lists, how, self.__name__))

    def expand_kwargs(self, kwargs: Any) -> Any:
        """A reference to the list of results of the task, run once per dict of arguments in a list."""
        return self._mapped(Items("kwargs", {KWARGS: kwargs}))

    def _mapped(self, items: Items | None) -> Any:
        trace = current()
        if trace is None:
            report(
                "outside-dag",
                f"{self.__name__} is mapped outside of a DAG",
                fix=f"move it into a function decorated with @dag, or call {self.__name__}() per item",
            )
        if trace is None or items is None:
            return BROKEN
        return when_needed("calls").call(trace, self, (), {}, items)

    def require(self, versions: str) -> TaskFunction[P, R]:
        """Itself if its ``version`` is as asked, e.g. ``">=1.1,<2"``. Raises ``DagError`` otherwise."""
        check_version(f"task {self.__name__!r}", self.options.get("version"), versions)
        return self

    def __repr__(self) -> str:
        return f"<task {self.__name__}>"


class Decorator:
    """A decorator of functions, with or without options: ``@task``, ``@task(retries=2)``."""

    def __init__(self, kind: Kind) -> None:
        self._kind: Kind = kind

    @overload
    def __call__(self, function: Callable[P, R], /) -> TaskFunction[P, R]: ...
    @overload
    def __call__(
        self, function: None = None, /, **options: Any
    ) -> Callable[[Callable[P, R]], TaskFunction[P, R]]: ...
    def __call__(self, function: Any = None, /, **options: Any) -> Any:
        """A task made of a function: ``@task``, or with options ``@task(retries=2, memory="4GiB")``.

        The options are those of :data:`stepweave.authoring.option_values.OPTIONS`. A wrong option is reported when a
        DAG that uses the task is traced.
        """
        if function is None:
            return lambda decorated: task_of(decorated, options, self._kind)
        return task_of(function, options, self._kind)


class TaskDecorator(Decorator):
    """``@task``, and the decorators of special tasks."""

    def __init__(self) -> None:
        super().__init__("task")
        self.branch = Decorator("branch")
        """A task that returns the id, or ids, of the tasks directly downstream that are to run; None for no task.

        The others are skipped, except those that a chosen one leads to.
        """
        self.short_circuit = Decorator("short_circuit")
        """A task that skips all tasks downstream unless it returns something true.

        With ``ignore_downstream_trigger_rules=False`` it skips the direct ones, and their rules decide about the rest.
        """
        self.sensor = Decorator("sensor")
        """A task that is called again and again until it returns something true, or ``PokeReturn(True, value)``.

        Options besides those of a task: ``poke_interval``, ``timeout`` (for all of it), ``soft_fail`` (skip when the
        time is over), ``backoff``, ``max_interval``.
        """


task = TaskDecorator()


def task_of(function: Any, options: Mapping[str, Any], kind: Kind = "task") -> TaskFunction[..., Any]:
    """The task of a function with these options. Raises ``DagError`` when it is no function."""
    function = function.function if isinstance(function, TaskFunction) else function
    code = getattr(function, "__code__", None)
    if code is None and not (
        callable(function) and hasattr(function, "__name__") and not inspect.isclass(function)
    ):
        source = here()
        raise DagError(
            [
                Problem(
                    what=f"@task decorates {function!r}",
                    code="task-signature",
                    file=source.file,
                    line=source.line,
                    expected="a function",
                    fix="write @task(task_id=...)"
                    if isinstance(function, str)
                    else "decorate a plain function",
                )
            ]
        )
    source = Source(file=shown(code.co_filename), line=code.co_firstlineno) if code else here()
    return TaskFunction(Definition(function, options, source, kind))

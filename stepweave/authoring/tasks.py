"""``@task``: a function that is a task inside a DAG function, and itself anywhere else."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, overload

from stepweave.authoring.bindings import BindingError, to_binding
from stepweave.authoring.contracts import type_name
from stepweave.authoring.edges import mismatch
from stepweave.authoring.options import TaskOptions, conflicts, merge, resolve
from stepweave.authoring.ordering import OrderOperators
from stepweave.authoring.references import BROKEN, Reference
from stepweave.authoring.signatures import Signature, signature_of
from stepweave.authoring.source import here, shown
from stepweave.authoring.trace import GroupNode, Node, Trace, current, report
from stepweave.errors import DagError, Problem
from stepweave.graph.model import Source

P = ParamSpec("P")
R = TypeVar("R")


class Definition:
    """What all calls of a task have in common: the function and the options of its decorator."""

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any], source: Source) -> None:
        self.function = function
        self.options = options
        self.source = source

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
        found = (*self.signature.problems, *conflicts(self.options), *resolve(self.options)[1])
        return (_located(problem, self.source, self.signature.name) for problem in found)


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

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        trace = current()
        if trace is None:
            if self._bound:
                given, _ = self._definition.signature.bind(args, kwargs, self._bound)
                return self._definition.function(**given)
            return self._definition.function(*args, **kwargs)
        return _call(trace, self, args, kwargs)

    def override(self, **options: Any) -> TaskFunction[P, R]:
        """The same task with other options: ``train.override(task_id="train_big", memory="60GiB")``."""
        return TaskFunction(self._definition, merge((self._overrides, options)), self._bound)

    def partial(self, **arguments: Any) -> TaskFunction[..., R]:
        """The same task with some arguments given; positions then count the rest: ``train.partial(rows=r)("svm")``."""
        return TaskFunction(self._definition, self._overrides, {**self._bound, **arguments})

    def expand(self, **arguments: Any) -> Any:
        """A clear error: one task run per item of a list is not available yet."""
        report(
            "not-available",
            f"task {self.__name__!r}: mapping a task over a list (.expand) is not available yet",
            task=self.__name__,
            fix=f"call the task in a Python loop: [{self.__name__}(item) for item in [...]]; "
            "for a list that is known only in a run, loop inside one task",
        )
        return BROKEN

    expand_kwargs = expand

    def __repr__(self) -> str:
        return f"<task {self.__name__}>"


@overload
def task(function: Callable[P, R], /) -> TaskFunction[P, R]: ...
@overload
def task(function: None = None, /, **options: Any) -> Callable[[Callable[P, R]], TaskFunction[P, R]]: ...
def task(function: Any = None, /, **options: Any) -> Any:
    """A task made of a function: ``@task``, or with options ``@task(retries=2, memory="4GiB")``.

    Options: ``task_id``, ``retries``, ``retry`` (a :class:`Retry`), ``retry_delay``, ``timeout``, ``cpu``, ``memory``,
    ``gpu``, ``ephemeral``, ``spot``, ``compute``, ``trigger_rule``, ``teardown``, ``owner``, ``tags``, ``doc``.
    A wrong option is reported when a DAG that uses the task is traced.
    """
    if function is None:
        return lambda decorated: task_of(decorated, options)
    return task_of(function, options)


def task_of(function: Any, options: Mapping[str, Any]) -> TaskFunction[..., Any]:
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
    return TaskFunction(Definition(function, options, source))


def _call(
    trace: Trace, task: TaskFunction[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Reference:
    definition, source = task._definition, here()
    signature = definition.signature
    options = _options(trace, task, source)
    node = Node(
        trace=trace,
        id=_id(trace, task, options, source),
        function=definition.function,
        options=options,
        doc=definition.doc if options.doc is None else options.doc,
        source=source,
    )
    given, problems = signature.bind(args, kwargs, task._bound)
    trace.problems.extend(_located(problem, source, node.id) for problem in problems)
    for name, value in given.items():
        _give(node, name, value, signature, typed=not problems)
    trace.add(node)
    return Reference(node, signature.returns)


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
        found = (*conflicts(task._overrides), *resolve(task._overrides)[1])
        trace.problems.extend(_located(problem, source, definition.signature.name) for problem in found)
        return resolve(merge((*_defaults(trace), definition.options, task._overrides)))[0]
    key = (definition, trace.group)
    options: TaskOptions | None = trace.caches.get(key)
    if options is None:
        options = trace.caches[key] = resolve(merge((*_defaults(trace), definition.options)))[0]
    return options


def _defaults(trace: Trace) -> list[Mapping[str, Any]]:
    """``default_args`` of the DAG and of the groups that are open, outermost first."""
    layers: list[Mapping[str, Any]] = []
    group: GroupNode | None = trace.group
    while group is not None:
        layers.insert(0, group.default_args)
        group = group.parent
    return [trace.default_args, *layers]


def _located(problem: Problem, source: Source, task: str) -> Problem:
    return dataclasses.replace(problem, file=source.file, line=source.line, task=problem.task or task)

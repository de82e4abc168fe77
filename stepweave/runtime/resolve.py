"""`call` of an event → the function to run. The one place where user code is imported by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from stepweave.errors import PermanentError

MADE_HERE = "__stepweave_dags__"
"""Attribute of a module: the DAGs that were made while it was imported (``stepweave.authoring.modules``)."""


def task_function(call: str) -> Callable[..., Any]:
    """The function behind ``module:qualname``, or behind ``module:dag#task_id`` by tracing that DAG."""
    dag_call, _, task_id = call.partition("#")
    found = named_object(dag_call)
    if task_id:
        function = found.task_function(task_id)
    else:
        # A task object carries the plain function; calling the object itself could build a graph.
        function = getattr(found, "function", found)
    if not callable(function):
        raise PermanentError(f"{call!r} is a {type(function).__name__}, expected a task or a function")
    return function  # type: ignore[no-any-return]


def graph_of(call: str, dag_id: str, module: str = "") -> Any:
    """The traced graph of the DAG that ``call`` belongs to; ``module``: where it is, if not where the task is."""
    dag_call, _, task_id = call.partition("#")
    if task_id:
        return named_object(dag_call).graph()
    name = module or dag_call.partition(":")[0]
    for candidate in _dags_in(_module(name)):
        graph = candidate.graph()
        if graph.dag.id == dag_id:
            return graph
    raise PermanentError(f"module {name!r} has no DAG {dag_id!r}; expected the call as 'module:dag#task_id'")


def _dags_in(module: Any) -> list[Any]:
    """The DAGs of a module: those bound to a name, and those that a factory made."""
    bound = [
        candidate
        for candidate in vars(module).values()
        # The class of DAGs may be there too, imported for an annotation.
        if not isinstance(candidate, type) and hasattr(candidate, "task_function")
    ]
    return [*bound, *getattr(module, MADE_HERE, ())]


def named_object(name: str) -> Any:
    """The object behind ``module:qualname``; ``PermanentError`` that says what is missing where."""
    module_name, colon, qualname = name.partition(":")
    if not colon or not module_name or not qualname:
        raise PermanentError(f"{name!r} names no object; expected module:qualname")
    module = _module(module_name)
    found: Any = module
    for part in qualname.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            # A DAG that a factory made need not be bound to a name.
            made = [dag for dag in getattr(module, MADE_HERE, ()) if dag.id == qualname]
            if made:
                return made[0]
            raise PermanentError(
                f"module {module_name!r} has no {qualname!r} (no attribute {part!r})"
            ) from None
    return found


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise PermanentError(
                f"module {name!r} cannot be found; it must be importable where the task runs: part of the bundle, "
                "or on PYTHONPATH"
            ) from error
        raise

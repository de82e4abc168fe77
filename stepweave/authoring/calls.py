"""The function behind ``Task.call``, found in whatever process runs the task."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.errors import UsageError


def resolve(call: str) -> Callable[..., Any]:
    """The plain function that ``call`` names: ``module:qualname``, or ``module:dag_name#task_id``.

    Raises ``UsageError`` when the module has no such thing; what importing the module raises passes through.
    """
    module_name, _, rest = call.partition(":")
    qualname, _, task_id = rest.partition("#")
    module = importlib.import_module(module_name)
    found: Any = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if task_id:
        dag = found if isinstance(found, Dag) else _dag_with_id(vars(module), qualname)
        if dag is None:
            raise UsageError(
                f"module {module_name!r} has no DAG {qualname!r}, which task {task_id!r} belongs to"
            )
        return dag.task_function(task_id)
    function = getattr(found, "function", found)
    if not callable(function):
        raise UsageError(
            f"module {module_name!r} has no function {qualname!r}; was it renamed after compiling?"
        )
    return function  # type: ignore[no-any-return]


def _dag_with_id(names: dict[str, Any], dag_id: str) -> Dag | None:
    return next((one for one in names.values() if isinstance(one, Dag) and one.id == dag_id), None)

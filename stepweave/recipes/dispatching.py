"""Work that is known only in a run: a task emits what is to be done, and one mapped task does it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NotRequired, TypedDict

from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.tasks import TaskFunction, task
from stepweave.errors import PermanentError, UsageError


class Spec(TypedDict):
    """One piece of work: which task, with which arguments."""

    task: str
    kwargs: NotRequired[dict[str, Any]]


def dispatch(tasks: Mapping[str, Callable[..., Any]], **options: Any) -> TaskFunction[..., Any]:
    """A task that runs the one of ``tasks`` that its ``spec`` names, to be mapped over specs made in the run.

    run = dispatch({"train": train, "score": score}, retries=2)
    results = run.expand(spec=plan_work(rows))      # plan_work returns [{"task": "train", "kwargs": {...}}, ...]
    """
    functions = {name: getattr(one, "function", one) for name, one in tasks.items()}
    wrong = [name for name, one in functions.items() if not callable(one)]
    if wrong or not functions:
        raise UsageError(
            f"dispatch: {', '.join(wrong) or 'nothing'} is no task; expected {{'train': train, ...}}"
        )

    @task(**options)
    def dispatched(spec: Spec) -> Any:
        """The value of the task that ``spec`` names."""
        return _chosen(functions, spec)(**spec.get("kwargs", {}))

    return dispatched


def _chosen(functions: Mapping[str, Callable[..., Any]], spec: Any) -> Callable[..., Any]:
    name = spec["task"] if isinstance(spec, Mapping) and "task" in spec else None
    if not isinstance(name, str) or name not in functions:
        raise PermanentError(
            f"dispatch: no task is meant by {spec!r:.200}; {did_you_mean(str(name), functions)}"
        )
    function = functions[name]
    try:
        inspect.signature(function).bind(**spec.get("kwargs", {}))
    except TypeError as error:
        raise PermanentError(f"dispatch: the arguments do not fit {name}(): {error}") from None
    return function

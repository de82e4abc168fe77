"""Write an ML pipeline as a Python DAG; run it on a laptop in the very state machine that AWS will run.

    from stepweave import dag, task

    @task
    def greet(name: str) -> str:
        return f"Hello {name}"

    @dag
    def hello(name: str = "world"):
        greet(name)

The names here are those that a DAG's module needs; everything else is imported from its own module.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepweave.authoring.approvals import approval
    from stepweave.authoring.assets import Asset
    from stepweave.authoring.breakers import Breaker
    from stepweave.authoring.compute import Batch, Fargate, Lambda
    from stepweave.authoring.conditions import Elif, Else, If
    from stepweave.authoring.dags import dag
    from stepweave.authoring.groups import task_group
    from stepweave.authoring.loops import Loop
    from stepweave.authoring.ordering import chain
    from stepweave.authoring.params import Param
    from stepweave.authoring.retry import Retry
    from stepweave.authoring.schedule import Cron, Every
    from stepweave.authoring.tasks import task
    from stepweave.runtime.context import get_current_context
    from stepweave.runtime.pokes import PokeReturn

__all__ = [
    "dag",
    "task",
    "task_group",
    "chain",
    "If",
    "Elif",
    "Else",
    "Loop",
    "approval",
    "Param",
    "Cron",
    "Every",
    "Retry",
    "Breaker",
    "PokeReturn",
    "Asset",
    "Lambda",
    "Batch",
    "Fargate",
    "get_current_context",
]

_MODULES = {
    "dag": "authoring.dags",
    "task": "authoring.tasks",
    "task_group": "authoring.groups",
    "chain": "authoring.ordering",
    "If": "authoring.conditions",
    "Elif": "authoring.conditions",
    "Else": "authoring.conditions",
    "Loop": "authoring.loops",
    "approval": "authoring.approvals",
    "Param": "authoring.params",
    "Cron": "authoring.schedule",
    "Every": "authoring.schedule",
    "Retry": "authoring.retry",
    "Breaker": "authoring.breakers",
    "PokeReturn": "runtime.pokes",
    "Asset": "authoring.assets",
    "Lambda": "authoring.compute",
    "Batch": "authoring.compute",
    "Fargate": "authoring.compute",
    "get_current_context": "runtime.context",
}


def __getattr__(name: str) -> Any:
    """A name of ``__all__``, imported when it is first asked for.

    Whoever brings definitions of their own (`stepweave execute`, the pytest plugin) pays for no authoring.
    """
    if name not in _MODULES:
        raise AttributeError(f"module 'stepweave' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"stepweave.{_MODULES[name]}"), name)
    globals()[name] = found
    return found

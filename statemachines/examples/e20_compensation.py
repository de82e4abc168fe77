"""Compensation: when the run fails, what it has changed in the world is undone, last change first.

``register`` and ``shift_traffic`` change things that others see. Each names the function that undoes it; when the
smoke test fails, ``shift_back`` runs, then ``unregister``, once each, also after a crash of whatever ran them. An
undo takes what the task took, and as ``result`` what it returned. A resumed run does the undone tasks again.

The registry here is an asset: ``publish`` swaps the content of a partition at one moment, ``latest`` reads it.

Run it: ``stepweave run statemachines/examples/e20_compensation.py --param healthy=false``.
"""

from __future__ import annotations

from typing import Any

from stepweave import dag, get_current_context, task
from stepweave.errors import DataError, PermanentError


def current(partition: str) -> Any:
    """The content of a partition of the registry; None when nothing was published yet."""
    try:
        return get_current_context().latest("registry", partition)
    except DataError:
        return None


def publish(partition: str, value: Any) -> None:
    """Make ``value`` the content of a partition of the registry."""
    get_current_context().publish("registry", partition, value)


def unregister(result: dict[str, Any]) -> None:
    """Undoes ``register``."""
    publish("models", result["before"])


def shift_back(result: dict[str, Any]) -> None:
    """Undoes ``shift_traffic``."""
    publish("traffic", {"model": result["before"], "because": "undone"})


@task
def train(degree: int) -> list[float]:
    """Returns the coefficients of a Taylor polynomial of the exponential function."""
    weights = [1.0]
    for power in range(1, degree + 1):
        weights.append(weights[-1] / power)
    return weights


@task(compensate=unregister)
def register(weights: list[float]) -> dict[str, Any]:
    """Returns the name of the model and what was registered before."""
    before = current("models") or []
    name = f"exp-{len(weights) - 1}"
    publish("models", [*before, name])
    return {"name": name, "before": before}


@task(compensate=shift_back)
def shift_traffic(model: str) -> dict[str, Any]:
    """Returns which model answers now, and which did before."""
    before = (current("traffic") or {"model": "none"})["model"]
    publish("traffic", {"model": model, "because": "deployed"})
    return {"model": model, "before": before}


@task
def smoke_test(weights: list[float], healthy: bool) -> float:
    """Returns the error at 1, if the model answers at all."""
    if not healthy:
        raise PermanentError("502 Bad Gateway")
    return abs(sum(weights) - 2.718281828)


@dag
def compensation(degree: int = 6, healthy: bool = True) -> None:
    """Deploys a model; takes everything back if it does not answer."""
    weights = train(degree)
    traffic = shift_traffic(register(weights)["name"])
    traffic >> smoke_test(weights, healthy)

"""What tests of authoring write DAGs with: a few tasks, and the graph of a body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepweave import dag, task
from stepweave.graph.model import Graph


@task
def load(uri: str = "") -> dict[str, Any]: ...


@task
def items() -> list[str]: ...


@task
def train(rows: Any = None, model: str = "svm", depth: int = 1) -> dict[str, Any]: ...


@task
def score(rows: dict[str, Any]) -> float: ...


@task
def is_good(rows: dict[str, Any]) -> bool: ...


@task
def show(value: Any = None) -> None: ...


@task
def choose(results: list[dict[str, Any]]) -> dict[str, Any]: ...


def graph_of(body: Callable[..., object], **options: Any) -> Graph:
    """The graph of a DAG whose function is ``body``."""
    name = body.__name__ if body.__name__.isidentifier() else "written"
    return dag(**{"dag_id": name, **options})(body).graph()

"""The N: a graph that is not made of series and parallel parts.

    orders (slow) ────▶ join
                  ╱
    customers (fast) ──▶ newest

``join`` needs both, ``newest`` only the customers. Run in levels, ``newest`` would wait for the orders; here it starts
as soon as the customers are there. ``stepweave plan`` shows the one gate that this takes.

Run it: ``stepweave run statemachines/examples/e03_n_shape.py``.
"""

from __future__ import annotations

import time

from stepweave import dag, task

CUSTOMERS = {"1": "Ada", "2": "Grace"}


@task
def orders(seconds: float) -> list[dict[str, str]]:
    """Returns orders, after a while."""
    time.sleep(seconds)
    return [{"customer": "2", "item": "compiler"}, {"customer": "1", "item": "engine"}]


@task
def customers() -> dict[str, str]:
    """Returns customers by id."""
    return CUSTOMERS


@task
def join(rows: list[dict[str, str]], names: dict[str, str]) -> list[str]:
    """Returns who ordered what."""
    return [f"{names[row['customer']]}: {row['item']}" for row in rows]


@task
def newest(names: dict[str, str]) -> str:
    """Returns the customer who came last."""
    return names[max(names)]


@dag
def n_shape(seconds: float = 2.0) -> None:
    """Joins orders with customers; ``seconds`` is how long the orders take."""
    known = customers()
    join(orders(seconds), known)
    newest(known)

"""Circuit breaker: a service that is down is left alone, by all tasks of all DAGs that use it.

After three failures in a row the breaker opens: further tasks fail at once, as ``CircuitOpen``, without a call
that would take its time-out and hit a service that is trying to come back. When ``reset`` is over one attempt may
probe: if it succeeds, the breaker closes. With a ``degrade`` list the tasks have something to fall back on
meanwhile.

Run it: ``stepweave run statemachines/examples/e23_circuit_breaker.py --param down=true``.
"""

from __future__ import annotations

from typing import TypedDict

from stepweave import Breaker, dag, get_current_context, task
from stepweave.errors import TransientError, UsageError

RATES = {"EUR": 1.0, "USD": 1.08, "JPY": 162.4, "GBP": 0.85, "CHF": 0.96, "NOK": 11.6}


class Rate(TypedDict):
    """What a euro is worth, and who says so."""

    currency: str
    rate: float
    source: str


def yesterdays_rate(currency: str, down: bool) -> Rate:
    """Returns the rate of yesterday."""
    return {"currency": currency, "rate": round(RATES[currency] * 0.99, 3), "source": "yesterday"}


@task(
    breaker=Breaker("rates-service", failures=3, reset="1m"),
    degrade=[yesterdays_rate],
    max_concurrency=1,
    map_label="currency",
)
def ask(currency: str, down: bool) -> Rate:
    """Returns the rate as the service tells it; each call is counted, so that ``calls`` can tell."""
    context = get_current_context()
    if context.store is None:
        raise UsageError("calls are counted in runs only")
    context.store.put(f"checkpoints/{context.dag_id}/{context.run_id}/calls/{currency}", b"")
    if down:
        raise TransientError("503 Service Unavailable")
    return {"currency": currency, "rate": RATES[currency], "source": "service"}


@task
def table(rates: list[Rate]) -> dict[str, float]:
    """Returns all rates."""
    return {rate["currency"]: rate["rate"] for rate in rates}


@task(trigger_rule="all_done")
def calls(rates: list[Rate]) -> int:
    """Returns how often the service was called."""
    context = get_current_context()
    below = f"checkpoints/{context.dag_id}/{context.run_id}/calls"
    return len(list(context.store.list(below))) if context.store else 0


@dag
def circuit_breaker(down: bool = False) -> None:
    """Asks a service for six rates, one after another."""
    rates = ask.partial(down=down).expand(currency=list(RATES))
    table(rates)
    calls(rates)

"""How much failure a run bears: none, some, or another try of all of it.

- ``strict``: ``fail_fast=True``. The first failure ends the run; nothing is caught, so the definition is small,
  and the console's own *redrive* goes on from the failed state.
- ``patient``: independent branches go on, but with more than ``max_failed_tasks`` failures no further task is
  begun.
- ``persistent``: ``retries=1`` runs what failed, and what depended on it, once more at the end; ``on_failure`` and
  ``on_success`` name functions that are told how the run ended.

Run it: ``stepweave run statemachines/examples/e26_limits_of_failure.py:patient --param broken=3``.
"""

from __future__ import annotations

from collections.abc import Sequence

from stepweave import dag, get_current_context, task
from stepweave.errors import DataError


@task
def check(column: str, number: int, broken: int) -> int:
    """Returns the number of rows that were checked; the first ``broken`` columns are bad."""
    if number < broken:
        raise DataError(f"column {column!r}: 12 of 1000 values are missing")
    return 1000


@task
def check_again(column: str, cured: bool) -> int:
    """Returns the number of rows; in a run that cures, what failed at first succeeds when the run tries again."""
    context = get_current_context()
    key = f"checkpoints/{context.dag_id}/{context.run_id}/seen/{column}"
    first = context.store is not None and context.store.create(key, b"")
    if first or not cured:
        raise DataError(f"column {column!r} is still being written")
    return 1000


@task
def total(rows: list[int]) -> int:
    """Returns the sum."""
    return sum(rows)


def tell(status: str, failed: Sequence[str]) -> None:
    """Tells somebody how the run ended; here, a file in the store."""
    context = get_current_context()
    if context.store is not None:
        key = f"checkpoints/{context.dag_id}/{context.run_id}/told"
        context.store.put(key, f"{status}: {', '.join(failed)}".encode())


@dag(fail_fast=True)
def strict(broken: int = 0) -> None:
    """Ends with the first failure."""
    total([check("age", 0, broken), check("income", 1, broken)])


@dag(max_failed_tasks=2)
def patient(broken: int = 0) -> None:
    """Ends when more than two of six columns are bad; they are checked one after another."""
    previous = None
    for number in range(6):
        checked = check.override(task_id=f"check_{number}", trigger_rule="all_done")(
            f"c{number}", number, broken
        )
        if previous is not None:
            previous >> checked
        previous = checked


@dag(retries=1, on_failure=tell, on_success=tell)
def persistent(cured: bool = True) -> None:
    """Tries once more what failed."""
    total([check_again("age", cured), check.override(task_id="check_income")("income", 1, 0)])

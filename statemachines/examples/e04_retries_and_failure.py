"""What happens when a task fails: it is tried again, and what does not depend on it goes on.

- ``fetch`` fails on its first attempt with an error that another attempt may cure, and has retries: it succeeds.
- ``parse`` meets a row that is wrong. ``DataError`` says that another attempt would fail again, so none is made.
- ``load`` needs ``parse``: it ends as ``upstream_failed``, without having started.
- ``archive`` needs only ``fetch``: it runs.
- ``tidy`` is a teardown: it runs whatever happened, and does not count for the outcome.

The run ends as failed and names ``parse``. Give it sound rows, ``--param bad_row=-1``, and it succeeds.

Run it: ``stepweave run statemachines/examples/e04_retries_and_failure.py``.
"""

from __future__ import annotations

from stepweave import Retry, dag, get_current_context, task
from stepweave.errors import DataError, TransientError


@task(retry=Retry(attempts=2, delay=1))
def fetch(bad_row: int) -> list[str]:
    """Returns three rows, on the second attempt."""
    if get_current_context().attempt == 0:
        raise TransientError("the connection was reset")
    return ["x" if row == bad_row else str(row) for row in range(3)]


@task(retries=3)
def parse(rows: list[str]) -> list[int]:
    """Returns the rows as numbers."""
    wrong = [row for row in rows if not row.isdigit()]
    if wrong:
        raise DataError(f"not a number: {', '.join(wrong)}")
    return [int(row) for row in rows]


@task
def load(numbers: list[int]) -> int:
    """Returns how many numbers were loaded."""
    return len(numbers)


@task
def archive(rows: list[str]) -> int:
    """Returns how many rows were kept."""
    return len(rows)


@task(teardown=True)
def tidy() -> None:
    """Leaves the place as it was."""
    print("tidied up")


@dag
def retries_and_failure(bad_row: int = 1) -> None:
    """Shows a retry, a failure, and what goes on in spite of it."""
    rows = fetch(bad_row)
    [load(parse(rows)), archive(rows)] >> tidy()

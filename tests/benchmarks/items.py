"""What does one item of a mapped task cost, when the task does nothing and one of a hundred items fails?

    python -m tests.benchmarks.items [--json] [--sizes 1000,10000] [--repeat 3] [--workers 2] [--folder DIR]

Each run maps a no-op task over a list that another task returns, tolerates the failures, and counts the results, as
``stepweave run`` does it: every item is committed to the store and recorded, with a log where it failed. Above 40
items each is an execution of its own. ``ms_per_item`` is the whole call, with tracing, compiling, starting worker
processes and the summary, ÷ number of items.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.embedded.node_values import NodeValues
from stepweave.embedded.request import RunRequest
from stepweave.embedded.result import RunResult
from stepweave.embedded.run import run_dag
from stepweave.loading import load
from stepweave.stores.objects import open_store
from tests.benchmarks.reporting import parser, show, spread

SIZES = (1_000, 10_000)
FAILING = 100
"""One item of so many fails."""

_SOURCE = f"""\
from stepweave import dag, task
from stepweave.errors import DataError


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


@task(tolerated_failures="{200 / FAILING:g}%")
def each(number: int) -> int:
    if number % {FAILING} == 1:
        raise DataError("one of a hundred")
    return number


@task
def gather(values: list[int]) -> int:
    return len(values)


@dag
def mapped_items(count: int) -> None:
    gather(each.expand(number=numbers(count)))
"""


def measure(sizes: Sequence[int], repeat: int, workers: int, below: str | None = None) -> dict[str, Any]:
    """The figures in this process and with workers, for every size; stores lie in a folder ``below``."""
    with tempfile.TemporaryDirectory(dir=below) as folder:
        file = Path(folder) / "mapped_items.py"
        file.write_text(_SOURCE)
        dag = load(str(file))
        modes = {
            mode: {str(size): _measured(dag, Path(folder), size, repeat, count) for size in sizes}
            for mode, count in (("inline", 0), ("workers", workers))
        }
    return {"benchmark": "items", "workers": workers, "failing": 1 / FAILING, "modes": modes}


def _measured(dag: Dag, folder: Path, size: int, repeat: int, workers: int) -> dict[str, Any]:
    """``workers`` 0 runs the items in this process."""
    taken = []
    for _ in range(repeat):
        gc.collect()  # what earlier measurements left is not this one's
        start = time.perf_counter()
        result = run_dag(
            RunRequest(
                dag=dag,
                params={"count": size},
                store=tempfile.mkdtemp(dir=folder),
                inline=not workers,
                workers=workers or None,
            )
        )
        taken.append((time.perf_counter() - start) * 1000 / size)
        _check(result, size)
    return {"ms_per_item": spread(taken)}


def _check(result: RunResult, size: int) -> None:
    if result.status != "success":
        raise RuntimeError(f"the run ended {result.status}: {result.error}")
    expected = size - -(-(size - 1) // FAILING)
    gathered = NodeValues(result, open_store(result.store)).of(result.tasks["gather"], 20)
    if gathered != expected:
        raise RuntimeError(f"{gathered} items were gathered, {expected} of {size} succeed")


def main(arguments: Sequence[str]) -> None:
    options_of = parser(__doc__ or "", repeat=3, sizes=SIZES)
    options_of.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    options_of.add_argument(
        "--folder", metavar="DIR", help="where stores lie (the system's temporary folder)"
    )
    options = options_of.parse_args(arguments)
    figures = measure(options.sizes, options.repeat, options.workers, options.folder)
    show(figures, one_line=options.json)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What does the embedded engine cost per task, when the task does nothing?

    python -m tests.benchmarks.overhead [--json] [--sizes 100,1000,10000] [--repeat 3] [--workers 2] [--folder DIR]

Each run traces, compiles and runs a DAG of no-op tasks as ``stepweave run`` does: every result is committed to the
store, every task run is recorded. ``ms_per_task`` is from the start of the first task to the end of the last; the whole
call also holds tracing, compiling, starting worker processes and the summary. Both ÷ number of tasks.

``--folder`` says where stores lie: two files or folders are made per task, and a file system on a disk may take ten
times as long for that as one in memory (/dev/shm), above all after many files were deleted.
"""

from __future__ import annotations

import gc
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.embedded.request import RunRequest
from stepweave.embedded.result import RunResult
from stepweave.embedded.run import run_dag
from tests.benchmarks.dag_files import dag_in, untraced
from tests.benchmarks.reporting import parser, rounded, show, spread

SIZES = (100, 1_000, 10_000)
SHAPES = ("chain", "fan_out")
MODES = ("inline", "workers")


def measure(sizes: Sequence[int], repeat: int, workers: int, below: str | None = None) -> dict[str, Any]:
    """The figures of both modes, every shape and size; stores lie in a folder ``below`` (None: the system's)."""
    # Every store stays to the end: some file systems make files slowly while they remember many deleted ones.
    with tempfile.TemporaryDirectory(dir=below) as folder:
        modes = {
            mode: {
                shape: {
                    str(size): _measured(
                        Path(folder), shape, size, repeat, workers if mode == "workers" else 0
                    )
                    for size in sizes
                }
                for shape in SHAPES
            }
            for mode in MODES
        }
    growth = {
        mode: {shape: _growth(figures) for shape, figures in shapes.items()} for mode, shapes in modes.items()
    }
    return {"benchmark": "overhead", "workers": workers, "modes": modes, "growth": growth}


def _measured(folder: Path, shape: str, size: int, repeat: int, workers: int) -> dict[str, Any]:
    """``workers`` 0 runs the tasks in this process."""
    dag = dag_in(folder, shape, size)
    spans, whole, cpu = [], [], []
    for _ in range(repeat):
        gc.collect()  # what earlier measurements left is not this one's
        store = tempfile.mkdtemp(dir=folder)
        wall_start, cpu_start = time.perf_counter(), _cpu_seconds()
        result = _ran(untraced(dag), store, workers)
        cpu.append((_cpu_seconds() - cpu_start) * 1000 / size)
        whole.append((time.perf_counter() - wall_start) * 1000 / size)
        spans.append(_span_seconds(result) * 1000 / size)
    return {
        "ms_per_task": spread(spans),
        "whole_call_ms_per_task": spread(whole),
        "cpu_ms_per_task": spread(cpu),
    }


def _ran(dag: Dag, store: str, workers: int) -> RunResult:
    request = RunRequest(dag=dag, store=store, inline=not workers, workers=workers or None)
    result = run_dag(request)
    if result.status != "success":
        raise RuntimeError(f"the run ended {result.status}: {result.error}")
    return result


def _span_seconds(result: RunResult) -> float:
    runs = result.tasks.values()
    first = min(run.first_started for run in runs if run.first_started is not None)
    return max(run.ended for run in runs if run.ended is not None) - first


def _cpu_seconds() -> float:
    """Processor time of this process and of the worker processes that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _growth(figures: dict[str, dict[str, Any]]) -> float:
    """Time per task of the largest size ÷ that of the smallest."""
    sizes = [int(size) for size in figures]
    small, large = (figures[str(size)]["ms_per_task"]["min"] for size in (min(sizes), max(sizes)))
    return rounded(large / small)


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

"""How long does a DAG take from its function to the bytes of its state machines?

    python -m tests.benchmarks.compile [--json] [--sizes 10,100,1000,10000] [--repeat 7]

Each measurement traces the DAG function anew, checks, plans, emits and measures; Python's garbage collector is on,
as users have it. ``growth`` is the time per task of the largest size ÷ that of the smallest from 100 on (1.0: linear).
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
from stepweave.compiler import Compiled, compile_graph
from tests.benchmarks.dag_files import SHAPES, dag_in, untraced
from tests.benchmarks.reporting import SIZES, parser, rounded, show, spread

_MEASURED_TASKS = 1_000
"""A small DAG is measured more often, until it has had about so many tasks."""
_LINEAR_FROM = 100


def measure(sizes: Sequence[int], repeat: int) -> dict[str, Any]:
    """The figures of every shape and size."""
    with tempfile.TemporaryDirectory() as folder:
        shapes = {
            shape: {str(size): _measured(dag_in(Path(folder), shape, size), size, repeat) for size in sizes}
            for shape in SHAPES
        }
    return {"benchmark": "compile", "shapes": shapes, "growth": {s: _growth(f) for s, f in shapes.items()}}


def _measured(dag: Dag, size: int, repeat: int) -> dict[str, Any]:
    wall, cpu = [], []
    for _ in range(repeat * max(1, _MEASURED_TASKS // size)):
        fresh = untraced(dag)
        gc.collect()  # what earlier measurements left is not this one's
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        compiled = compile_graph(fresh.graph())
        wall.append((time.perf_counter() - wall_start) * 1000 / size)
        cpu.append((time.process_time() - cpu_start) * 1000 / size)
    return {"ms_per_task": spread(wall), "cpu_ms_per_task": spread(cpu), **_result(compiled)}


def _result(compiled: Compiled) -> dict[str, int]:
    report = compiled.report
    return {
        "machines": report.machines,
        "states": report.states,
        "gates": report.gates,
        "largest_definition_bytes": report.definition_bytes,
        "most_history_events": report.history_events,
    }


def _growth(figures: dict[str, dict[str, Any]]) -> float | None:
    linear = [int(size) for size in figures if int(size) >= _LINEAR_FROM]
    if len(linear) < 2:
        return None
    small, large = (figures[str(size)]["ms_per_task"]["min"] for size in (min(linear), max(linear)))
    return rounded(large / small)


def main(arguments: Sequence[str]) -> None:
    options = parser(__doc__ or "", repeat=7, sizes=SIZES).parse_args(arguments)
    show(measure(options.sizes, options.repeat), one_line=options.json)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Does the compiled machine lose any parallelism? Real workflows under the virtual clock.

    python -m tests.benchmarks.exactness [--json] [--tasks N]

Every graph of data/workflows.json.gz is compiled and its state machine run in the engine, each task taking its
measured time. ``ratio`` is the makespan ÷ the critical path of the graph (1.000: a task starts when its upstream tasks
have ended).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tests.asl.running import run_graph
from tests.benchmarks.reporting import parser, rounded, show
from tests.benchmarks.workflows import Workflow, is_series_parallel, workflows


def measure(chosen: Iterable[Workflow]) -> dict[str, Any]:
    """The figures of the workflows, by name, by family, and over all."""
    graphs = {workflow.name: _measured(workflow) for workflow in chosen}
    families: dict[str, list[dict[str, Any]]] = {}
    for name, figures in graphs.items():
        families.setdefault(name.partition("/")[0], []).append(figures)
    series_parallel = [figures for figures in graphs.values() if figures["series_parallel"]]
    return {
        "benchmark": "exactness",
        "workflows": len(graphs),
        "tasks": sum(figures["tasks"] for figures in graphs.values()),
        "worst_ratio": max(figures["ratio"] for figures in graphs.values()),
        "least_ratio": min(figures["ratio"] for figures in graphs.values()),
        "series_parallel": len(series_parallel),
        "most_gates_on_series_parallel": max((figures["gates"] for figures in series_parallel), default=0),
        "without_gates": sum(figures["gates"] == 0 for figures in graphs.values()),
        "families": {name: _family(found) for name, found in families.items()},
        "graphs": graphs,
    }


def _measured(workflow: Workflow) -> dict[str, Any]:
    start = time.perf_counter()
    ran = run_graph(workflow.graph, seconds=workflow.seconds)
    seconds = time.perf_counter() - start
    if ran.execution.status != "SUCCEEDED":
        raise RuntimeError(f"{workflow.name} ended {ran.execution.status}: {ran.execution.cause}")
    report = ran.compiled.report
    return {
        "tasks": report.tasks,
        "ratio": round(max(ran.ended.values()) / workflow.critical_path_seconds(), 9),
        "gates": report.gates,
        "signals": report.signals,
        "gates_per_task": rounded(report.gates / report.tasks),
        "series_parallel": is_series_parallel(workflow.graph),
        "machines": report.machines,
        "transitions_per_task": rounded(report.transitions / report.tasks),
        "compile_and_run_seconds": rounded(seconds),
    }


def _family(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    gates = [figures["gates_per_task"] for figures in found]
    return {
        "workflows": len(found),
        "median_gates_per_task": rounded(statistics.median(gates)),
        "max_gates_per_task": max(gates),
        "worst_ratio": max(figures["ratio"] for figures in found),
    }


def main(arguments: Sequence[str]) -> None:
    options_of = parser(__doc__ or "", repeat=1)
    options_of.add_argument("--tasks", type=int, default=1_000_000, help="leave out graphs with more tasks")
    options = options_of.parse_args(arguments)
    chosen = (workflow for workflow in workflows() if len(workflow.graph) <= options.tasks)
    show(measure(chosen), one_line=options.json)


if __name__ == "__main__":
    main(sys.argv[1:])

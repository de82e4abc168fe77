"""The benchmarks run, on small sizes, and say what they are meant to say. What they measure is nobody's test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stepweave.compiler import compile_graph
from tests.benchmarks import compile as compile_benchmark
from tests.benchmarks import engine as engine_benchmark
from tests.benchmarks import exactness, functions, items, other_engines, overhead, process
from tests.benchmarks.dag_files import SHAPES, dag_in, untraced
from tests.benchmarks.process_memory import Peaks
from tests.benchmarks.reporting import spread
from tests.benchmarks.workflows import is_series_parallel, workflows
from tests.graphs import graph_of

ROOT = Path(__file__).parents[2]


def test_real_workflows_keep_their_parallelism_and_gates_are_where_an_n_is() -> None:
    figures = exactness.measure(each for each in workflows() if len(each.graph) <= 60)
    assert {"makeflow", "nextflow", "pegasus"} < set(figures["families"])
    assert (figures["worst_ratio"], figures["least_ratio"]) == (1.0, 1.0)
    assert figures["most_gates_on_series_parallel"] == 0
    assert 0 < figures["series_parallel"] == figures["without_gates"] < figures["workflows"]


def test_the_data_are_what_their_page_says() -> None:
    page = (ROOT / "tests/benchmarks/data/README.md").read_text(encoding="utf-8")
    graphs = [each.graph for each in workflows()]
    assert f"{len(graphs)} real workflow graphs ({sum(map(len, graphs)):,} tasks)" in page
    assert "LGPL-3.0" in page


@pytest.mark.parametrize(
    "spec, expected",
    [
        ({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}, True),
        ({"a": [], "b": [], "c": ["a", "b"], "d": ["a", "b"]}, True),
        ({"a": [], "b": [], "c": ["a", "b"], "d": ["b"]}, False),
        ({"a": [], "b": ["a"], "c": ["b"], "d": ["a"], "e": ["d"], "f": ["c", "e"], "g": ["e"]}, False),
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, True),  # the edge a→c says nothing new
    ],
)
def test_a_graph_is_series_parallel_when_it_has_no_n(spec: dict[str, list[str]], expected: bool) -> None:
    assert is_series_parallel(graph_of(spec)) is expected


@pytest.mark.parametrize("shape", SHAPES)
def test_a_written_dag_has_its_shape_and_is_the_same_each_time(shape: str, tmp_path: Path) -> None:
    dag = dag_in(tmp_path, shape, 12)
    graph, again = dag.graph(), untraced(dag).graph()
    assert len(graph) == 12
    assert graph.tasks == again.tasks
    widest = max(len(task.upstream) for task in graph.tasks)
    assert widest == {"chain": 1, "fan_out": 10, "random": 3}[shape]


def test_compilation_is_measured_for_every_shape_and_size() -> None:
    figures = compile_benchmark.measure([100, 200], repeat=1)
    assert set(figures["shapes"]) == set(figures["growth"]) == set(SHAPES)
    for sizes in figures["shapes"].values():
        assert list(sizes) == ["100", "200"]
        assert all(each["ms_per_task"]["min"] > 0 and each["machines"] == 1 for each in sizes.values())


def test_what_is_compiled_is_what_a_user_compiles(tmp_path: Path) -> None:
    report = compile_graph(dag_in(tmp_path, "random", 30).graph()).report
    assert (report.tasks, report.gates > 0) == (30, True)


def test_overhead_is_measured_in_process_and_with_workers(tmp_path: Path) -> None:
    figures = overhead.measure([6, 12], repeat=1, workers=1, below=str(tmp_path))
    for mode in ("inline", "workers"):
        for shape in ("chain", "fan_out"):
            for each in figures["modes"][mode][shape].values():
                assert 0 < each["ms_per_task"]["min"] < each["whole_call_ms_per_task"]["min"]
    assert list(tmp_path.iterdir()) == []


def test_items_of_a_map_are_measured_and_those_that_succeed_are_counted(tmp_path: Path) -> None:
    figures = items.measure([50, 150], repeat=1, workers=1, below=str(tmp_path))
    for mode in ("inline", "workers"):
        assert all(each["ms_per_item"]["min"] > 0 for each in figures["modes"][mode].values())
    assert list(tmp_path.iterdir()) == []


def test_whole_processes_and_imports_are_measured() -> None:
    figures = process.measure(repeat=1, chain=3)
    assert set(figures["runs"]) == {"one_task", "one_task_inline", "chain_3_inline"}
    assert all(each["wall_seconds"]["min"] > 0 for each in figures["runs"].values())
    assert figures["imports"]["stepweave"]["modules"] < figures["imports"]["task_runner"]["modules"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_the_engine_is_measured_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_benchmark, "GROWTH_SIZES", (20, 40))
    monkeypatch.setattr(other_engines, "available", lambda: {"moto": other_engines.moto})
    figures = engine_benchmark.measure(repeat=1, items=30, others=5, hours=24)
    assert all(each["min"] > 0 for each in figures["ms_per_state"].values())
    assert set(figures["growth"]["ms_per_state"]) == {"20", "40"}
    assert figures["year"]["runs"] == 24
    assert all(slower > 1 for slower in figures["others"]["moto"]["times_slower"].values())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_the_memory_of_a_process_counts_its_children() -> None:
    child = "text = 'x' * 40_000_000; input()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE) as process_of_two:
        peaks = Peaks(process_of_two.pid)
        found = peaks.to_json()
        while process_of_two.poll() is None and (found is None or found["largest_process"] < 38):
            peaks.look()
            found = peaks.to_json()
        process_of_two.communicate(b"\n")
    assert process_of_two.returncode == 0
    assert found is not None
    assert found["process"] < 38 < found["all_processes"]


def test_a_benchmark_prints_one_json_object() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.compile", "--json", "--sizes", "3", "--repeat", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["benchmark"] == "compile"


def test_a_spread_has_the_median_and_the_ends() -> None:
    assert spread([3.0, 1.0, 10.00004]) == {"median": 3.0, "min": 1.0, "max": 10.0}


def test_the_task_runner_is_ready_soon_works_fast_and_takes_little_memory() -> None:
    figures = functions.measure(1, 40, 0)
    assert figures["cold"]["with_bytecode"]["ready_ms"]["median"] > 0
    assert figures["cold"]["without_bytecode"]["ready_ms"]["median"] > 0
    assert 0 < figures["warm"]["median_ms"] <= figures["warm"]["first_ms"]
    assert figures["memory_mib"] < 90

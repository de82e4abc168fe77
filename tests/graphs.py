"""Graphs for tests: from a mapping of task to upstream tasks, or drawn by hypothesis."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from stepweave.graph.model import DagInfo, FromTask, Graph, Task

Spec = Mapping[str, Sequence[str]]


def graph_of(spec: Spec, rules: Mapping[str, str] | None = None, **dag: object) -> Graph:
    """A graph whose tasks take the values of their upstream tasks."""
    tasks = tuple(
        Task(
            id=task,
            call=f"somewhere:{task}",
            upstream=tuple(upstream),
            arguments=tuple((up, FromTask(task=up)) for up in upstream),
            trigger_rule=(rules or {}).get(task, "all_success"),
        )
        for task, upstream in spec.items()
    )
    return Graph(dag=DagInfo(id="dag", **dag), tasks=tasks)  # type: ignore[arg-type]


@st.composite
def specs(draw: st.DrawFn, max_tasks: int = 16, max_upstream: int = 3) -> dict[str, list[str]]:
    """Any DAG: each task has up to ``max_upstream`` of the tasks before it upstream."""
    count = draw(st.integers(1, max_tasks))
    reach = draw(st.sampled_from([2, 5, max_tasks]))
    spec: dict[str, list[str]] = {}
    for index in range(count):
        before = [f"t{i}" for i in range(max(0, index - reach), index)]
        chosen = draw(st.lists(st.sampled_from(before), max_size=max_upstream, unique=True)) if before else []
        spec[f"t{index}"] = sorted(chosen, key=lambda task: int(task[1:]))
    return spec


@st.composite
def series_parallel_specs(draw: st.DrawFn, max_depth: int = 4) -> dict[str, list[str]]:
    """A series-parallel DAG, grown by the two compositions."""
    spec: dict[str, list[str]] = {}

    def grow(depth: int, upstream: list[str]) -> list[str]:
        kind = draw(st.sampled_from(["task", "series", "parallel"])) if depth else "task"
        if kind == "task":
            task = f"t{len(spec)}"
            spec[task] = list(upstream)
            return [task]
        parts = draw(st.integers(2, 3))
        if kind == "series":
            for _ in range(parts):
                upstream = grow(depth - 1, upstream)
            return upstream
        return [end for _ in range(parts) for end in grow(depth - 1, upstream)]

    grow(max_depth, [])
    return spec


def finish_times(spec: Spec, seconds: Mapping[str, float]) -> dict[str, float]:
    """When each task ends if it starts as soon as its upstream tasks have ended."""
    ends: dict[str, float] = {}
    for task, upstream in spec.items():
        ends[task] = seconds[task] + max((ends[up] for up in upstream), default=0.0)
    return ends


def big_specs(count: int) -> dict[str, dict[str, list[str]]]:
    """A chain, a fan-out with a join, and a random DAG of ``count`` tasks, the same at each call."""

    rng = random.Random(count)
    middle = [f"t{i}" for i in range(1, count - 1)]
    chain = {f"t{i}": [f"t{i - 1}"] if i else [] for i in range(count)}
    fan_out = {"t0": [], **{task: ["t0"] for task in middle}, f"t{count - 1}": middle}
    tangle = {
        f"t{i}": [f"t{j}" for j in sorted(rng.sample(range(i), min(i, rng.randint(1, 3))))]
        for i in range(count)
    }
    return {"chain": chain, "fan_out": fan_out, "random": tangle}

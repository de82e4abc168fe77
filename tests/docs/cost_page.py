"""Writes the computed parts of docs/cost.md: ``python -m tests.docs.cost_page``; with ``--check`` it writes nothing.

A part stands between ``<!-- NAME -->`` and ``<!-- end -->``. Run it from the top folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stepweave.cli.costs.telling import dollars
from stepweave.loading import all_dags, load
from stepweave.pricing import estimating
from stepweave.pricing.others import METAFLOW_MIB, on_metaflow, on_mwaa
from stepweave.pricing.prices import HOURS_PER_MONTH, PRICES, SPOT_SHARE
from stepweave.simulation.simulating import Estimate, estimate
from tests.docs.computed_parts import update

PAGE = Path("docs") / "cost.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A pipeline with work in it."""

    dag: str
    words: str
    seconds: float
    """Of each task that is not named."""
    durations: Mapping[str, float] = field(default_factory=dict)
    items: Mapping[str, int] = field(default_factory=dict)


SCENARIOS = (
    Scenario(dag="churn", words="20 min of training on 2 spot vCPUs, else 2 s", seconds=2, durations={"train": 1_200}),
    Scenario(dag="digits", words="10 s a task", seconds=10),
    Scenario(dag="sweep", words="as written, 30 s a task", seconds=30),
    Scenario(dag="mapping", words="500 items of 5 s", seconds=5, items={"measure": 500}),
)  # fmt: skip


def parts() -> dict[str, str]:
    """The computed parts by name."""
    return {
        "examples": "\n".join(_examples()),
        "scenarios": "\n".join(_scenarios()),
        "assumptions": "\n".join(_assumptions()),
        "prices": "\n".join(_prices()),
        "mwaa": _mwaa(),
    }


def _examples() -> Iterator[str]:
    yield "| DAG | tasks | transitions | a run | Metaflow: transitions | Metaflow: a run | times as dear |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for dag in all_dags():
        graph = dag.graph()
        found = estimate(graph, {})
        yield f"| `{dag.id}` | {len(graph)} | {found.work.transitions} | {_compared(found, dag.id)} |"


def _compared(found: Estimate, dag_id: str) -> str:
    ours = found.usage.all.usd()
    theirs = on_metaflow(load(dag_id).graph(), found.work.calls)
    transitions = int(theirs.amounts["transition"])
    return f"{dollars(ours)} | {transitions} | {dollars(theirs.usd())} | {theirs.usd() / ours:.1f}"


def _scenarios() -> Iterator[str]:
    yield "| DAG | work | transitions | a run | Metaflow: transitions | Metaflow: a run | times as dear |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for scenario in SCENARIOS:
        graph = load(scenario.dag).graph()
        seconds = dict.fromkeys(graph.ids(), scenario.seconds) | dict(scenario.durations)
        found = estimate(graph, seconds, items=scenario.items)
        row = _compared(found, scenario.dag)
        yield f"| `{scenario.dag}` | {scenario.words} | {found.work.transitions} | {row} |"


def _assumptions() -> Iterator[str]:
    def gib(mib: int) -> str:
        return f"{mib / 1_024:g} GiB"

    yield "| what | taken as |"
    yield "|---|---|"
    yield f"| call of a task on Lambda | {estimating.CALL_SECONDS} s besides the task's function, at its memory |"
    yield (
        "| gate, signal, preparing a job, items of a map | "
        f"{estimating.CONTROL_SECONDS} s at {gib(estimating.CONTROL_MIB)} each |"
    )
    yield f"| cold start | {estimating.COLD_SECONDS} s, once a run for each function that it calls |"
    yield (
        f"| starting and recording a run | {estimating.PLATFORM_CALLS} calls of {estimating.PLATFORM_SECONDS} s at "
        f"{gib(estimating.PLATFORM_MIB)}, 4 writes and 2 reads of the table, {estimating.RUN_METRICS} custom metrics |"
    )
    yield (
        f"| logs | {estimating.LOG_BYTES_PER_TRANSITION:,} bytes a transition, "
        f"{estimating.LOG_BYTES_PER_CALL:,} a call; what tasks log themselves is not counted |"
    )
    yield "| objects | 1 read and 1 write a task on Lambda, 3 and 2 on Batch |"
    yield (
        f"| job | its time and {estimating.JOB_START_SECONDS:g} s for its start, at least "
        f"{estimating.JOB_MIN_SECONDS:g} s; that instances boot and stay a while is not counted |"
    )
    yield (
        f"| share of an instance | the larger of its vCPUs and a vCPU for each {estimating.GIB_PER_CPU:g} GiB; with a "
        f"GPU the largest of its GPUs, {estimating.CPU_PER_GPU:g} vCPUs each and {estimating.GIB_PER_GPU:g} GiB each |"
    )
    yield f"| spot | {SPOT_SHARE:.0%} of the price on demand |"
    yield f"| step of Metaflow | a job of {METAFLOW_MIB:,} MiB and 1 vCPU where it asks for nothing else |"


def _prices() -> Iterator[str]:
    yield "| what | price | unit | free a month | page | compared |"
    yield "|---|---:|---|---:|---|---|"
    for price in PRICES.values():
        free = f"{price.free:,.0f}" if price.free else ""
        compared = price.compared or "not again"
        page = price.source.removeprefix("https://").rstrip("/")
        yield (
            f"| {price.service}: {price.what} | {_exact(price.usd)} | {price.unit} | {free} "
            f"| [{page}]({price.source}) | {compared} |"
        )


def _exact(usd: float) -> str:
    """All digits: ``$0.0000133334``."""
    return "$" + f"{usd:.10f}".rstrip("0").rstrip(".")


def _mwaa() -> str:
    month = on_mwaa(1).usd()
    found = sorted(estimate(dag.graph(), {}).usage.all.usd() for dag in all_dags())
    median = found[len(found) // 2]
    runs = month / median
    return (
        f"Amazon MWAA has no price a run. Its environment `mw1.small` costs {dollars(PRICES['mwaa_small'].usd)} an "
        f"hour, **{dollars(month)} a month**, whether DAGs run or not, with one worker for five tasks at once; further "
        f"workers, storage and the network come on top. For the same money the median example runs {runs:,.0f} times a "
        f"month here, {runs / HOURS_PER_MONTH:,.0f} times an hour. 50 DAGs that run once a day share an environment at "
        f"{dollars(month / (50 * HOURS_PER_MONTH / 24))} a run, against {dollars(median)}."
    )


def main(check: bool) -> int:
    """Write the page, or tell that it is not up to date; the exit status."""
    return update(PAGE, parts(), check=check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))

"""Estimates of what tasks cost, against what was emitted: never too little, or no cut into machines would hold."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.asl.estimates import Estimate, limits_of
from stepweave.compiler import compile_graph
from stepweave.graph.constructs import Approval, NestedDag, Rung, Sensor
from stepweave.graph.model import Literal, Resources, RetryPolicy
from stepweave.planning.model import Run
from stepweave.planning.partition import LIMITS
from stepweave.planning.placement import placements
from tests.asl.scripted import dag, task

GPU = Resources(gpu=1)
AGAIN = RetryPolicy(attempts=3)
RUNGS = (
    Rung(call="m:a", resources=Resources(memory_mib=8_192), on="resource"),
    Rung(call="m:b", resources=GPU),
)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"retry": AGAIN},
        {"retry": AGAIN, "other_retries": (RetryPolicy(attempts=5, on=("Mine",)),)},
        {"resources": GPU, "retry": AGAIN, "fields": (("x",),)},
        {"ladder": RUNGS, "retry": AGAIN},
        {"hedge_seconds": 5, "retry": AGAIN},
        {"hedge_seconds": 5, "ladder": RUNGS, "fields": (("x",),)},
        {"replicas": 5, "quorum": 3, "retry": AGAIN},
        {"replicas": 3, "resources": GPU},
        {"sensor": Sensor(interval_seconds=10, timeout_seconds=3_600)},
        {"sensor": Sensor()},
        {"approval": Approval(message=Literal(json='"?"'), escalations=((("a",), 60),), on_timeout="reject")},
        {"nested": NestedDag(dag="other", call="m:other", params=())},
    ],
    ids=lambda options: "+".join(options) or "plain",
)
def test_a_task_takes_no_more_than_was_estimated(options: dict[str, Any]) -> None:
    graph = dag(task("a", **options), task("b", "a"))
    without = compile_graph(dag(task("b"))).report
    report = compile_graph(graph).report
    root = compile_graph(graph).files["dag.asl.json"]
    estimate = Estimate({one.id: one for one in graph.tasks}, placements(graph.tasks))
    cost = estimate(Run("a"))
    if report.machines == 1:
        assert report.history_events - without.history_events <= cost.events
    compact = len(root.replace(b" ", b"").replace(b"\n", b""))
    assert compact <= cost.bytes + estimate(Run("b")).bytes + 3_000


def test_what_a_run_undoes_leaves_less_room_for_its_tasks() -> None:
    assert limits_of(dag(task("a"))) == LIMITS
    undoing = dag(*(task(f"t{number}", compensate="m:u") for number in range(100)))
    assert limits_of(undoing).events < LIMITS.events
    assert limits_of(undoing).bytes < LIMITS.bytes


def test_a_dag_of_many_compensated_tasks_holds_the_limits() -> None:
    tasks = [task("t0", compensate="m:u", retry=AGAIN)]
    tasks += [task(f"t{n}", f"t{n - 1}", compensate="m:u", retry=AGAIN) for n in range(1, 300)]
    report = compile_graph(dag(*tasks)).report
    assert report.history_events <= 25_000
    assert report.machines > 2

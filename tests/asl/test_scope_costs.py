"""What a node with a graph inside will cost is known before it is emitted, and is never less than what it does cost."""

from __future__ import annotations

import json

import pytest

from stepweave.asl.estimates import Estimate
from stepweave.compiler import compile_graph
from stepweave.errors import DagError
from stepweave.graph.model import Graph, RetryPolicy, Task
from stepweave.graph.specs import Places
from stepweave.planning.model import walk
from stepweave.planning.placement import placements
from stepweave.planning.plan import to_plan
from tests.asl.scoped import graph, group, item, likely, loop, mapped, over, task, written

DIAMOND = (task("g.a"), task("g.b", "g.a"), task("g.c", "g.a"), task("g.d", "g.b", "g.c"))
CHAIN = (task("l.t0"), *(task(f"l.t{n}", f"l.t{n - 1}") for n in range(1, 40)))

NODES = {
    "mapped over a written list": (mapped("m", written(7)),),
    "mapped over a long written list": (mapped("m", written(70)),),
    "mapped at run time": (task("a"), mapped("m", "a")),
    "with many slots": (task("a"), mapped("m", "a", max_concurrency=10)),
    "tried again": (
        task("a"),
        Task(id="m", call="x:m", expansion=over(written(9)), retry=RetryPolicy(attempts=3)),
    ),
    "group": (task("a"), group("g", "a", *DIAMOND)),
    "map in a group": (task("a"), group("g", "a", mapped("g.m", item("g")), task("g.z", "g.m"))),
    "loop": (loop("l", 10, task("l.t")),),
    "long loop": (loop("l", 60, *CHAIN),),
    "map in a loop": (loop("l", 5, group("l.g", written(4), task("l.g.t")), task("l.z", "l.g")),),
    "speculation": likely(*DIAMOND).tasks,
    "loop in a map": (task("a"), group("g", "a", loop("g.l", 30, task("g.l.t")))),
}


@pytest.mark.parametrize("nodes", NODES.values(), ids=NODES)
def test_an_estimate_is_not_less_than_the_machine_and_not_much_more(nodes: tuple[Task, ...]) -> None:
    wanted: Graph = graph(*nodes)
    compiled = compile_graph(wanted)
    estimate = Estimate({one.id: one for one in nodes}, placements(Places.of(wanted).tasks.values()))
    costs = [estimate(step) for step in walk(to_plan(wanted))]
    events, size = sum(cost.events for cost in costs), sum(cost.bytes for cost in costs)
    root = compiled.machines.definitions[""]
    measured = compiled.report.history_events if len(compiled.machines.definitions) == 1 else 0
    assert events + 30 >= measured
    assert size + 3_000 >= len(json.dumps(root, separators=(",", ":")))
    if measured:
        assert events <= 2 * measured + 300


def test_a_dag_of_many_maps_is_cut_so_that_each_machine_holds_the_limits() -> None:
    maps = [mapped(f"m{number}", "a") for number in range(60)]
    report = compile_graph(graph(task("a"), *maps)).report
    assert report.machines > 1
    assert report.history_events <= 25_000


def test_the_body_of_a_loop_leaves_room_for_its_rounds() -> None:
    """A map in a loop is inline for fewer items, so that the rounds have room in one history."""
    alone = graph(task("a"), mapped("m", "a", max_concurrency=10))
    inside = graph(loop("l", 10, task("l.a"), mapped("l.m", "l.a", max_concurrency=10), task("l.z", "l.m")))
    assert compile_graph(alone).machines.repeats["m"].most == 200
    assert compile_graph(inside).machines.repeats["l.m"].most < 60


@pytest.mark.parametrize("count", [400, 850])
def test_a_large_body_runs_in_executions_of_its_own_however_few_items_there_are(count: int) -> None:
    inner = [task("g.t0"), *(task(f"g.t{n}", f"g.t{n - 1}") for n in range(1, count))]
    for nodes in ((task("a"), group("g", "a", *inner)), (group("g", written(2), *inner),)):
        compiled = compile_graph(graph(*nodes))
        definitions = compiled.machines.definitions.values()
        states = [pair for definition in definitions for pair in definition["States"].items()]
        modes = {n: s["ItemProcessor"]["ProcessorConfig"]["Mode"] for n, s in states if s["Type"] == "Map"}
        assert modes == {"g": "DISTRIBUTED"}
        assert compiled.report.history_events <= 25_000


def test_a_body_that_no_execution_holds_is_refused() -> None:
    inner = [task("g.t0"), *(task(f"g.t{n}", f"g.t{n - 1}") for n in range(1, 1100))]
    with pytest.raises(DagError, match="take tasks out of the largest mapped group or loop"):
        compile_graph(graph(group("g", written(2), *inner)))


def test_a_map_as_wide_as_its_history_allows_still_fits() -> None:
    inner = [task("g.t0"), *(task(f"g.t{n}", f"g.t{n - 1}") for n in range(1, 200))]
    report = compile_graph(graph(task("a"), group("g", "a", *inner))).report
    assert report.history_events <= 25_000

"""Tasks that will not run are known as soon as that is certain."""

from hypothesis import given
from hypothesis import strategies as st

from stepweave.embedded.places import places_of
from stepweave.embedded.propagation import Propagation
from stepweave.embedded.summing import sum_up
from stepweave.embedded.taskruns import TaskRuns
from stepweave.graph.constructs import Body, Condition, Expansion, Guard, Loop, Speculation
from stepweave.graph.model import DagInfo, Expression, FromTask, Graph, ListOf, Literal, Task
from stepweave.graph.outcomes import RULES, outcomes


def connected(graph: Graph) -> TaskRuns:
    propagation = Propagation(graph)
    runs = TaskRuns(places_of(graph), [propagation])
    propagation.connect(runs)
    return runs


def graph_of(*tasks: Task) -> Graph:
    return Graph(dag=DagInfo(id="d"), tasks=tasks)


def test_what_depends_on_a_failure_is_upstream_failed_at_once() -> None:
    runs = connected(
        graph_of(
            Task(id="a", call="m:f"),
            Task(id="b", call="m:f", upstream=("a",)),
            Task(id="c", call="m:f", upstream=("b",)),
            Task(id="clean", call="m:f", upstream=("c",), trigger_rule="all_done"),
        )
    )
    runs.called("a", 0)
    runs.failed("a", "DataError", "", again=False)
    assert runs.statuses() == {"a": "failed", "b": "upstream_failed", "c": "upstream_failed"}


def test_a_task_whose_other_upstream_still_runs_is_not_judged_yet() -> None:
    runs = connected(
        graph_of(
            Task(id="a", call="m:f"), Task(id="b", call="m:f"), Task(id="c", call="m:f", upstream=("a", "b"))
        )
    )
    runs.called("a", 0)
    runs.skipped("a")
    assert runs.by_id["c"].status is None
    runs.called("b", 0)
    runs.succeeded("b", {})
    assert runs.by_id["c"].status == "skipped"


def test_a_chain_of_ten_thousand_is_no_recursion() -> None:
    size = 10_000
    tasks = [Task(id=f"t{i}", call="m:f", upstream=(f"t{i - 1}",) if i else ()) for i in range(size)]
    runs = connected(graph_of(*tasks))
    runs.called("t0", 0)
    runs.failed("t0", "DataError", "", again=False)
    assert runs.by_id[f"t{size - 1}"].status == "upstream_failed"


@given(st.data())
def test_the_end_is_what_the_trigger_rules_say(data: st.DataObject) -> None:
    tasks = []
    for index in range(data.draw(st.integers(1, 8))):
        parents = sorted(data.draw(st.sets(st.integers(0, index - 1), max_size=3))) if index else []
        rule = data.draw(st.sampled_from(sorted(RULES)))
        tasks.append(
            Task(id=f"t{index}", call="m:f", upstream=tuple(f"t{i}" for i in parents), trigger_rule=rule)
        )
    graph = graph_of(*tasks)
    runs = connected(graph)
    ran = {}
    for task in graph.tasks:
        if runs.by_id[task.id].status is None:
            ran[task.id] = data.draw(st.sampled_from(["success", "failed", "skipped"]))
            runs.called(task.id, 0)
            if ran[task.id] == "success":
                runs.succeeded(task.id, {})
            elif ran[task.id] == "failed":
                runs.failed(task.id, "DataError", "", again=False)
            else:
                runs.skipped(task.id)
    assert runs.statuses() == outcomes(graph, ran)


def ended(runs: TaskRuns, task: str, index: str = "", status: str = "success") -> None:
    runs.called(task, 0, index)
    if status == "success":
        runs.succeeded(task, {}, index=index)
    elif status == "skipped":
        runs.skipped(task, index=index)
    else:
        runs.failed(task, "DataError", "", again=False, index=index)


def list_of(count: int) -> tuple[tuple[str, ListOf], ...]:
    return (("x", ListOf(items=tuple(Literal(json=str(number)) for number in range(count)))),)


def mapped(count: int, **settings: object) -> Expansion:
    return Expansion(how="product", arguments=list_of(count), **settings)  # type: ignore[arg-type]


def body_of(*tasks: Task, result: str | None = None) -> Body:
    return Body(graph=graph_of(*tasks), result=FromTask(task=result) if result else None)


def test_a_map_ends_with_its_last_item_and_what_comes_after_it_with_it() -> None:
    runs = connected(
        graph_of(
            Task(id="m", call="m:f", expansion=mapped(3, tolerated_count=1)),
            Task(id="after", call="m:f", upstream=("m",), trigger_rule="all_failed"),
        )
    )
    for number, status in enumerate(["failed", "success"]):
        ended(runs, "m", str(number), status)
    assert runs.by_id["m"].status == "running"
    ended(runs, "m", "2", "skipped")
    assert runs.statuses() == {"m": "success", "after": "skipped"}
    ended_items = runs.by_id["m"].items
    assert ended_items is not None
    assert (ended_items.success, ended_items.failed, ended_items.skipped) == (1, 1, 1)


def test_a_map_fails_when_more_items_fail_than_are_tolerated_and_is_skipped_when_all_are() -> None:
    graph = graph_of(
        Task(id="a", call="m:f", expansion=mapped(4, tolerated_percent=25.0)),
        Task(id="b", call="m:f", expansion=mapped(4, tolerated_percent=24.0)),
        Task(id="c", call="m:f", expansion=mapped(2)),
        Task(id="d", call="m:f", expansion=mapped(1), optional=True),
    )
    runs = connected(graph)
    for task in "ab":
        for number in range(4):
            ended(runs, task, str(number), "success" if number else "failed")
    for number in range(2):
        ended(runs, "c", str(number), "skipped")
    ended(runs, "d", "0", "failed")
    assert runs.statuses() == {"a": "success", "b": "failed", "c": "skipped", "d": "skipped"}


def test_a_map_over_no_items_is_skipped_as_soon_as_it_may_begin() -> None:
    runs = connected(
        graph_of(Task(id="a", call="m:f"), Task(id="m", call="m:f", upstream=("a",), expansion=mapped(0)))
    )
    ended(runs, "a")
    assert runs.by_id["m"].status == "skipped"


def test_an_item_of_a_group_ends_with_what_is_in_it() -> None:
    group = Task(
        id="g",
        call="",
        expansion=mapped(3),
        body=body_of(Task(id="g.a", call="m:f"), Task(id="g.b", call="m:f", upstream=("g.a",)), result="g.b"),
    )
    graph = graph_of(group, Task(id="after", call="m:f", upstream=("g",)))
    runs = connected(graph)
    ended(runs, "g.a", "0", "failed")
    assert runs.mapped["g.b"]["0"].status == "upstream_failed"
    ended(runs, "g.a", "1", "skipped")
    ended(runs, "g.a", "2")
    ended(runs, "g.b", "2")
    assert {index: run.status for index, run in runs.mapped["g"].items()} == {
        "0": "failed",
        "1": "skipped",
        "2": "success",
    }
    assert runs.by_id["after"].status == "upstream_failed"
    sum_up(runs, places_of(graph))
    assert (runs.by_id["g.a"].status, runs.by_id["g.b"].status) == ("failed", "upstream_failed")


def test_maps_inside_maps_have_index_paths() -> None:
    inner = Task(id="g.m", call="m:f", expansion=mapped(2))
    runs = connected(graph_of(Task(id="g", call="", expansion=mapped(2), body=body_of(inner))))
    for index in ("0/0", "0/1", "1/0", "1/1"):
        ended(runs, "g.m", index)
    assert {index: run.status for index, run in runs.mapped["g.m"].items() if "/" not in index} == {
        "0": "success",
        "1": "success",
    }
    assert runs.by_id["g"].status == "success"


def test_a_round_that_fails_ends_its_loop_and_others_do_not() -> None:
    loop = Loop(start=Literal(json="0"), until=Expression(text="false", operands=()), max_rounds=5)
    graph = graph_of(
        Task(id="l", call="", loop=loop, body=body_of(Task(id="l.t", call="m:f"))),
        Task(id="after", call="m:f", upstream=("l",)),
    )
    runs = connected(graph)
    ended(runs, "l.t", "0")
    assert runs.by_id["l"].status == "running"
    ended(runs, "l.t", "1", "failed")
    assert runs.statuses() == {"l": "failed", "after": "upstream_failed"}


def test_what_is_guarded_is_skipped_when_another_case_is_chosen() -> None:
    test = Expression(text="true", operands=())
    graph = graph_of(
        Task(id="if", call="", condition=Condition(cases=(("if", test),))),
        Task(id="yes", call="m:f", guards=(Guard(decider="if", cases=("if",), block=True),)),
        Task(id="no", call="m:f", guards=(Guard(decider="if", cases=("else",), block=True),)),
    )
    runs = connected(graph)
    runs.at("if").chosen = ("if",)
    runs.ended_as("if", "success")
    assert (runs.by_id["yes"].status, runs.by_id["no"].status) == (None, "skipped")


def test_a_speculation_waits_for_its_decider_and_is_dropped_with_all_in_it() -> None:
    test = Expression(text="true", operands=())

    def speculative() -> TaskRuns:
        return connected(
            graph_of(
                Task(id="if", call="", condition=Condition(cases=(("if", test),))),
                Task(
                    id="s",
                    call="",
                    speculation=Speculation(decider="if", cases=("if",)),
                    body=body_of(Task(id="s.t", call="m:f")),
                ),
                Task(id="after", call="m:f", upstream=("s",)),
            )
        )

    for chosen, expected in (("if", "success"), ("else", "skipped")):
        runs = speculative()
        ended(runs, "s.t")
        assert runs.by_id["s"].status == "running"
        runs.at("if").chosen = (chosen,)
        runs.ended_as("if", "success")
        assert (runs.by_id["s"].status, runs.by_id["s.t"].status) == (expected, expected)

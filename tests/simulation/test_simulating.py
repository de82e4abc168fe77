"""DAGs on a virtual clock."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepweave.compiler import compile_graph
from stepweave.embedded.timing import critical_path
from stepweave.graph.model import DagInfo, Expression, FromTask, Graph, Resources, Task
from stepweave.loading import load
from stepweave.pricing.prices import usd
from stepweave.simulation.simulating import beyond_timeout, estimate, simulate


def graph_of(*tasks: Task) -> Graph:
    return Graph(dag=DagInfo(id="d"), tasks=tasks)


def a_task(task_id: str, *upstream: str, resources: Resources | None = None) -> Task:
    return Task(id=task_id, call="m:f", upstream=upstream, resources=resources or Resources())


N_SHAPE = graph_of(a_task("a"), a_task("b"), a_task("c", "a", "b"), a_task("d", "b"))


def test_the_makespan_of_a_graph_with_an_n_is_its_critical_path() -> None:
    result = simulate(N_SHAPE, {"a": 10, "b": 1, "c": 1, "d": 9.5})
    assert result.makespan_seconds == result.critical_path_seconds == 11
    assert result.critical_path == ("a", "c")


def test_a_task_of_unknown_duration_takes_a_second() -> None:
    assert simulate(N_SHAPE, {}).makespan_seconds == 2


def test_the_transitions_are_those_of_the_plan() -> None:
    assert simulate(N_SHAPE, {}).transitions == compile_graph(N_SHAPE).report.transitions


def test_of_the_cost_only_the_time_of_functions_follows_the_durations() -> None:
    graph = graph_of(a_task("a"), a_task("b", "a"))
    more = simulate(graph, {"a": 100, "b": 200}).cost_usd - simulate(graph, {"a": 0, "b": 0}).cost_usd
    assert more == pytest.approx(300 * usd("lambda_arm64"), rel=1e-4)


def test_what_a_run_uses_is_told_by_task() -> None:
    found = estimate(graph_of(a_task("a"), a_task("b", "a")), {"a": 100, "b": 200})
    assert found.usage.tasks["b"].usd() == pytest.approx(200 * usd("lambda_arm64"), rel=0.01)
    assert found.usage.around.amounts["transition"] == found.simulation.transitions
    assert found.usage.all.usd() == pytest.approx(found.simulation.cost_usd, abs=1e-9)


def test_a_gpu_costs_by_its_time() -> None:
    def cost(seconds: float) -> float:
        graph = graph_of(a_task("train", resources=Resources(gpu=1)))
        return simulate(graph, {"train": seconds}).cost_usd

    assert cost(7200) - cost(3600) == pytest.approx(1.006, rel=1e-3)


def test_a_dag_inside_that_is_an_execution_of_its_own_is_a_run_of_its_own() -> None:
    page = Path(__file__).parents[2] / "statemachines" / "examples" / "e15_composition.py"
    assert estimate(load(f"{page}:composition").graph(), {}).work.executions == 2
    assert estimate(load(f"{page}:city_features").graph(), {}).work.executions == 1


def test_an_expression_on_a_value_does_not_stand_in_the_way() -> None:
    expression = Expression(text="$_0_ + 1", operands=(FromTask(task="a", path=("n",)),))
    reader = Task(id="b", call="m:f", arguments=(("x", expression),), upstream=("a",))
    producer = Task(id="a", call="m:f", fields=(("n",),))
    assert simulate(graph_of(producer, reader), {"a": 1, "b": 2}).makespan_seconds == 3


def test_a_graph_of_several_machines_is_simulated_exactly() -> None:
    size = 3000
    graph = graph_of(*(a_task(f"t{i}", *([f"t{i - 1}"] if i else [])) for i in range(size)))
    assert compile_graph(graph).report.machines > 1
    assert simulate(graph, {}).makespan_seconds == size


@given(st.data())
def test_no_parallelism_is_lost_on_any_graph(data: st.DataObject) -> None:
    tasks = []
    for index in range(data.draw(st.integers(1, 9))):
        parents = sorted(data.draw(st.sets(st.integers(0, index - 1), max_size=3))) if index else []
        tasks.append(a_task(f"t{index}", *(f"t{parent}" for parent in parents)))
    graph = graph_of(*tasks)
    seconds = {task.id: float(data.draw(st.integers(1, 50))) for task in tasks}
    result = simulate(graph, seconds)
    _, length = critical_path({task.id: task.upstream for task in tasks}, seconds)
    assert result.makespan_seconds == result.critical_path_seconds == length


def test_a_duration_beyond_the_timeout_is_taken_at_its_word_and_told() -> None:
    graph = graph_of(a_task("a"), a_task("b", "a"))
    seconds = {"a": 2000.0, "b": 1.0}
    assert simulate(graph, seconds).makespan_seconds == 2001
    assert beyond_timeout(graph, seconds) == {"a": (2000.0, 900)}

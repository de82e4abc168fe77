"""Tasks that will not run are known as soon as that is certain."""

from hypothesis import given
from hypothesis import strategies as st

from stepweave.embedded.propagation import Propagation
from stepweave.embedded.taskruns import TaskRuns
from stepweave.graph.model import DagInfo, Graph, Task
from stepweave.graph.outcomes import RULES, outcomes


def connected(graph: Graph) -> TaskRuns:
    propagation = Propagation(graph)
    runs = TaskRuns([task.id for task in graph.tasks], [propagation])
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

"""Gates that hand over records a task needs although nothing makes it wait for them."""

from __future__ import annotations

from stepweave.graph.model import DagInfo, Expression, FromTask, Graph, Task
from stepweave.planning.model import Await, Signal, walk
from stepweave.planning.plan import to_plan


def tasks_with(reader: Task) -> Graph:
    """a and b feed c; d follows b; the reader follows c and reads b, which is in another branch."""
    upstream = {"a": (), "b": (), "c": ("a", "b"), "d": ("b",)}
    tasks = tuple(Task(id=task, call=f"m:{task}", upstream=ups) for task, ups in upstream.items())
    return Graph(dag=DagInfo(id="dag"), tasks=(*tasks, reader))


def test_an_expression_over_a_task_of_another_branch_gets_its_record_at_a_gate() -> None:
    reads = Expression(text="$_0_ > 1", operands=(FromTask(task="b", path=("x",)),))
    graph = tasks_with(Task(id="e", call="m:e", upstream=("c", "b"), arguments=(("flag", reads),)))
    steps = list(walk(to_plan(graph)))
    assert [step for step in steps if isinstance(step, Await)] == [
        Await("c", (("b",),)),
        Await("e:records", (("b",),)),
    ]
    assert [step for step in steps if isinstance(step, Signal)] == [Signal((("b",),), ("e:records", "c"))]


def test_a_trigger_rule_over_a_task_further_up_gets_a_gate_of_its_own() -> None:
    tasks = (
        Task(id="a", call="m:a"),
        Task(id="b", call="m:b"),
        Task(id="c", call="m:c", upstream=("a", "b"), trigger_rule="all_done"),
        Task(id="d", call="m:d", upstream=("b",)),
        Task(id="e", call="m:e", upstream=("d",)),
        Task(id="f", call="m:f", upstream=("c", "e")),
        Task(id="g", call="m:g", upstream=("e",)),
        Task(id="h", call="m:h", upstream=("f", "a"), trigger_rule="all_success"),
    )
    steps = list(walk(to_plan(Graph(dag=DagInfo(id="dag"), tasks=tasks))))
    sent = {
        (group, gate)
        for step in steps
        if isinstance(step, Signal)
        for group in step.groups
        for gate in step.gates
    }
    assert sent == {(group, step.gate) for step in steps if isinstance(step, Await) for group in step.parents}


def test_plain_graphs_get_no_further_gate() -> None:
    graph = tasks_with(Task(id="e", call="m:e", upstream=("c",)))
    assert sum(isinstance(step, Await) for step in walk(to_plan(graph))) == 1

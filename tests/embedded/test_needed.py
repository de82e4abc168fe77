"""Of a DAG only some tasks and what they need."""

import pytest

from stepweave.embedded.needed import needed
from stepweave.errors import UsageError
from stepweave.graph.constructs import Body, Expansion, Guard
from stepweave.graph.model import DagInfo, FromTask, Graph, Task

INNER = Graph(dag=DagInfo(id="d"), tasks=(Task(id="each.t", call="m:f"),))
GRAPH = Graph(
    dag=DagInfo(id="d"),
    tasks=(
        Task(id="up", call="m:f", setup=True),
        Task(id="a", call="m:f", upstream=("up",)),
        Task(id="if", call=""),
        Task(
            id="b", call="m:f", upstream=("a",), guards=(Guard(decider="if", cases=("if",)),), groups=("g",)
        ),
        Task(id="c", call="m:f", upstream=("b",), groups=("g",)),
        Task(
            id="each",
            call="",
            upstream=("a",),
            expansion=Expansion(how="zip", arguments=()),
            body=Body(graph=INNER),
        ),
        Task(id="down", call="m:f", upstream=("up", "c"), teardown=True),
        Task(
            id="down_c",
            call="m:f",
            upstream=("up", "c"),
            teardown=True,
            arguments=(("x", FromTask(task="c")),),
        ),
    ),
)


@pytest.mark.parametrize(
    "names, expected",
    [
        (["a"], ["up", "a", "down"]),
        (["if"], ["if"]),
        (["b"], ["up", "a", "if", "b", "down"]),
        (["g"], ["up", "a", "if", "b", "c", "down", "down_c"]),
        (["each.t"], ["up", "a", "each", "down"]),
        (["a", "if"], ["up", "a", "if", "down"]),
    ],
)
def test_what_a_task_needs_is_what_comes_before_it_and_tears_down_after_it(
    names: list[str], expected: list[str]
) -> None:
    assert [task.id for task in needed(GRAPH, names).tasks] == expected


def test_a_task_waits_only_for_tasks_that_run() -> None:
    assert needed(GRAPH, ["a"])["down"].upstream == ("up",)


def test_a_name_that_means_nothing_is_an_error_with_advice() -> None:
    with pytest.raises(UsageError, match=r"has no task 'eech'; .*each"):
        needed(GRAPH, ["eech"])

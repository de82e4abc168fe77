"""How people call the items of a mapped task."""

import json
from pathlib import Path

import pytest

from stepweave.embedded.labels import Labels
from stepweave.embedded.places import places_of
from stepweave.graph.constructs import Body, Expansion
from stepweave.graph.model import DagInfo, FromTask, Graph, Literal, Task
from stepweave.stores.layout import manifest_key, task_prefix
from stepweave.stores.objects import open_store

A = ("a", Literal(json="[1, 2]"))
B = ("b", Literal(json='["x", "y", "z"]'))
DICTS = ("", Literal(json='[{"b": "x"}, {"b": {"deep": 1}}]'))


def labels_of(tmp_path: Path, expansion: Expansion) -> Labels:
    inner = Graph(dag=DagInfo(id="d"), tasks=(Task(id="m.t", call="m:f"),))
    graph = Graph(
        dag=DagInfo(id="d"),
        tasks=(Task(id="m", call="m:f", expansion=expansion, body=Body(graph=inner)),),
    )
    return Labels(places_of(graph), open_store(tmp_path), "d", "r1")


@pytest.mark.parametrize(
    "how, arguments, expected",
    [
        ("product", (A, B), ["x", "y", "z", "x", "y", "z"]),
        ("product", (B, A), ["x", "x", "y", "y", "z", "z"]),
        ("zip", (A, B), ["x", "y"]),
        ("kwargs", (DICTS,), ["x", '{"deep": 1}']),
        ("product", (A,), ["", ""]),
    ],
)
def test_labels_of_lists_in_the_dag_follow_the_order_of_the_items(
    tmp_path: Path, how: str, arguments: tuple[tuple[str, Literal], ...], expected: list[str]
) -> None:
    labels = labels_of(tmp_path, Expansion(how=how, arguments=arguments, label="b"))  # type: ignore[arg-type]
    assert [labels.of("m", str(number)) for number in range(len(expected))] == expected


def test_labels_of_lists_of_the_run_were_written_down_in_it(tmp_path: Path) -> None:
    expansion = Expansion(how="product", arguments=(("b", FromTask(task="up")),), label="b")
    labels = labels_of(tmp_path, expansion)
    manifest = json.dumps({"n": 2, "labels": ["one", "two"]}).encode()
    open_store(tmp_path).put(manifest_key(task_prefix("d", "r1", "m")), manifest)
    assert [labels.of("m", index) for index in ("0", "1", "2")] == ["one", "two", ""]
    assert labels.of("m.t", "1") == "two"
    assert labels.of("m", "") == ""


def test_items_without_a_label_have_none(tmp_path: Path) -> None:
    labels = labels_of(tmp_path, Expansion(how="product", arguments=(A,)))
    assert labels.of("m", "0") == labels.of("m.t", "0") == ""

"""Pictures of conditions, maps, loops, and whatever else a node may be."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from stepweave import Elif, Else, If, Loop, approval, dag, task, task_group
from stepweave.cli.drawing.describe import describe
from stepweave.cli.drawing.mermaid import to_mermaid
from stepweave.cli.drawing.nodes import links
from stepweave.cli.drawing.page import to_page
from stepweave.cli.drawing.svg import to_svg
from stepweave.graph.model import Graph

SVG = "{http://www.w3.org/2000/svg}"


@task
def score(rows: int = 0) -> dict[str, float]: ...


@task
def use(value: Any = None) -> None: ...


@task
def lesser(value: Any = None) -> None: ...


@task.branch
def choose() -> str: ...


@task_group
def each(name: str) -> Any:
    found = score.override(task_id="inner")()
    with If(found["auc"] > 0.5):
        use(name)
    return found


def conditional() -> Graph:
    @dag
    def drawn(threshold: float = 0.8) -> None:
        found = score()
        with If(found["auc"] >= threshold):
            use(use.override(task_id="first")(found))
        with Elif(found["auc"] > 0.5):
            use.override(task_id="second")()
        with Else():
            use.override(task_id="third")()

    return drawn.graph()


def nested() -> Graph:
    @dag
    def drawn() -> None:
        use.override(task_id="after", trigger_rule="all_done")(each.expand(name=["a", "b"]))
        with Loop({"left": 4}, until=lambda state: state["left"] <= 1, max_rounds=5) as loop:
            loop.carry(score.override(task_id="round")(loop.round))

    return drawn.graph()


def test_a_condition_is_linked_to_the_tasks_of_its_blocks_and_names_their_case() -> None:
    assert [(link.source, link.target, link.case) for link in links(conditional()) if link.case] == [
        ("if", "first", "if"),
        ("if", "second", "elif"),
        ("if", "third", "else"),
    ]


def test_a_task_inside_a_block_behind_another_one_is_not_linked_again() -> None:
    assert [link.source for link in links(conditional()) if link.target == "use"] == ["first"]


def test_the_tests_of_a_condition_are_told_with_the_names_of_what_they_read() -> None:
    details = dict(next(each.details for each in describe(conditional(), {}) if each.id == "if"))
    assert details["is"] == "condition"
    assert details["if"] == "score.auc >= threshold"
    assert details["elif"] == "score.auc > 0.5"


def test_mermaid_draws_conditions_as_diamonds_and_writes_the_case_on_the_edge() -> None:
    text = to_mermaid(conditional())
    assert 't1{"if<br/>condition"}' in text
    assert "t1 -.->|else| t5" in text


def test_mermaid_draws_bodies_as_subgraphs_that_edges_lead_to() -> None:
    text = to_mermaid(nested())
    assert 'subgraph t0["each<br/>per name"]' in text
    assert "t0 --> t4" in text
    assert 'subgraph t5["loop<br/>loop, at most 5 rounds"]' in text
    assert text.count("subgraph") == text.count("  end\n") == 2


def test_an_svg_frames_bodies_with_their_tasks_inside() -> None:
    root = ElementTree.fromstring(to_svg(nested(), {"each.inner": "lambda"}))
    labels = [text.text for text in root.iter(f"{SVG}text") if not text.get("class")]
    assert labels == ["each", "each.inner", "each.if", "each.use", "after", "loop", "loop.round"]
    frames = [group for group in root.iter(f"{SVG}g") if "frame" in (group.get("class") or "")]
    assert len(frames) == 2
    inside = next(group for group in root.iter(f"{SVG}g") if group.get("class") is None)
    assert len([box for box in inside.iter(f"{SVG}g") if "task" in (box.get("class") or "")]) == 3


def test_a_frame_is_large_enough_for_what_is_inside() -> None:
    root = ElementTree.fromstring(to_svg(nested(), {}))
    top = list(root)
    number = next(i for i, part in enumerate(top) if "frame" in (part.get("class") or ""))
    frame, inside = top[number].find(f"{SVG}rect"), top[number + 1]
    assert frame is not None
    right = lower = 0.0
    for box in inside.iter(f"{SVG}g"):
        rect = box.find(f"{SVG}rect")
        if rect is not None:
            x, y = map(float, re.findall(r"[\d.]+", box.get("transform") or ""))
            right, lower = (
                max(right, x + float(rect.get("width", 0))),
                max(lower, y + float(rect.get("height", 0))),
            )
    assert right < float(frame.get("width", 0))
    assert lower < float(frame.get("height", 0))


def test_every_box_and_both_ends_of_every_edge_have_a_description() -> None:
    page = to_page(nested(), {})
    boxes = {int(number) for number in re.findall(r'data-task="(\d+)"', page)}
    ends = {int(number) for pair in re.findall(r'data-ends="(\d+ \d+)"', page) for number in pair.split()}
    assert boxes == set(range(len(describe(nested(), {}))))
    assert ends <= boxes


def test_the_page_counts_tasks_and_edges_inside_of_bodies_too() -> None:
    assert "7 tasks · 3 edges" in to_page(nested(), {})


def test_what_a_node_is_stands_in_its_box() -> None:
    @dag
    def drawn() -> None:
        use.override(task_id="copied", replicate=3, quorum=2)()
        use.override(task_id="mapped", hedge="90s", breaker="api").expand(value=[1, 2])
        use.override(task_id="laddered", degrade=[lesser], optional=True)(value=1)
        choose() >> use.override(task_id="chosen", trigger_rule="none_failed")()
        approval("Deploy?", task_id="asked")

    kinds = {each.id: each.kind for each in describe(drawn.graph(), {})}
    assert kinds == {
        "copied": "3 copies, 2 agree",
        "mapped": "per value, hedged after 90 s, breaker api",
        "laddered": "else lesser, optional",
        "choose": "branch",
        "chosen": "none_failed",
        "asked": "approval",
    }


def test_a_likely_block_is_linked_to_its_condition_although_it_does_not_wait() -> None:
    @dag
    def drawn() -> None:
        found = score()
        with If(found["auc"] > 0.5, likely=True):
            use()

    graph = drawn.graph()
    assert [(link.source, link.target, link.case) for link in links(graph)][-1] == ("if", "likely", "if")
    ElementTree.fromstring(to_svg(graph, {}))


def test_conditions_and_approvals_run_on_no_compute() -> None:
    places = {each.id: each.place for each in describe(conditional(), {"if": "lambda", "score": "lambda"})}
    assert (places["if"], places["score"]) == ("", "lambda")

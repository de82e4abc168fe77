"""Every trigger rule × every combination of upstream outcomes: Airflow's verdict, the model's, and the library's."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from stepweave.graph.model import DagInfo, Graph, Task
from stepweave.graph.outcomes import verdict_of
from tests.reference import airflow
from tests.reference.rules import RULES, Seen, verdict

TABLE: dict[str, dict[str, str]] = json.loads(airflow.TABLE.read_text())
ROWS = [
    (rule, tuple(states.split(", ")), result)
    for rule, rows in TABLE.items()
    for states, result in rows.items()
]


def seen(states: tuple[str, ...]) -> list[Seen]:
    return [
        Seen(state.removesuffix(airflow.SETUP), setup=state.endswith(airflow.SETUP))  # type: ignore[arg-type]
        for state in states
    ]


def test_the_table_has_all_twelve_rules_and_all_combinations() -> None:
    assert set(TABLE) == set(RULES)
    assert airflow.table() == TABLE
    assert {rule: len(rows) for rule, rows in TABLE.items()} == {
        rule: 164 if rule == "all_done_setup_success" else 34 for rule in TABLE
    }


@pytest.mark.parametrize("rule", sorted(TABLE))
def test_each_verdict_of_a_rule_occurs(rule: str) -> None:
    expected = {"always": {"run"}, "all_done": {"run"}}
    skips = {"all_failed", "all_skipped", "none_skipped", "one_failed", "one_done"}
    fallback = {"run", "skipped"} if rule in skips else {"run", "upstream_failed"}
    both = {"all_success", "one_success", "none_failed_min_one_success", "all_done_setup_success"}
    assert set(TABLE[rule].values()) == expected.get(
        rule, fallback | ({"skipped"} if rule in both else set())
    )


@pytest.mark.parametrize("rule", sorted(TABLE))
def test_the_model_decides_as_airflow(rule: str) -> None:
    wrong = [
        (order, result)
        for name, states, result in ROWS
        if name == rule
        for order in permutations(states)
        if verdict(rule, seen(order)) != result
    ]
    assert wrong == []


@pytest.mark.parametrize("rule", sorted(TABLE))
def test_the_library_decides_as_airflow(rule: str) -> None:
    wrong = []
    for name, states, result in ROWS:
        for order in permutations(states) if name == rule else ():
            names = [f"u{number}" for number in range(len(order))]
            upstream = [
                Task(id=up, call="m:f", setup=one.setup) for up, one in zip(names, seen(order), strict=True)
            ]
            task = Task(id="t", call="m:f", upstream=tuple(names), trigger_rule=rule)
            graph = Graph(dag=DagInfo(id="dag"), tasks=(*upstream, task))
            statuses = {up: one.status for up, one in zip(names, seen(order), strict=True)}
            if verdict_of(graph, task, statuses, {}) != result:
                wrong.append((order, result))
    assert wrong == []

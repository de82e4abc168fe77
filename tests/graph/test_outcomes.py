"""The statuses of tasks that did not run follow from the trigger rules."""

from __future__ import annotations

import pytest

from stepweave.graph.model import DagInfo, Graph, Task
from stepweave.graph.outcomes import RULES, outcomes, verdict

S, F, K, U = "success", "failed", "skipped", "upstream_failed"


@pytest.mark.parametrize(
    "rule, upstream, expected",
    [
        ("all_success", [S, S], "run"), ("all_success", [S, F], U), ("all_success", [S, U], U),
        ("all_success", [S, K], K),
        ("all_success", [K, F], U), ("all_success", [], "run"),
        ("all_done", [F, K, U, S], "run"),
        ("all_failed", [F, U], "run"), ("all_failed", [F, S], K), ("all_failed", [F, K], K),
        ("all_skipped", [K, K], "run"), ("all_skipped", [K, S], K), ("all_skipped", [K, F], K),
        ("none_failed", [S, K], "run"), ("none_failed", [K, K], "run"), ("none_failed", [S, F], U),
        ("none_skipped", [S, F, U], "run"), ("none_skipped", [S, K], K),
        ("none_failed_min_one_success", [S, K], "run"), ("none_failed_min_one_success", [K, K], K),
        ("none_failed_min_one_success", [S, F], U), ("none_failed_min_one_success", [], "run"),
    ],
)  # fmt: skip
def test_a_rule_decides_as_in_airflow(rule: str, upstream: list[str], expected: str) -> None:
    assert verdict(rule, upstream) == expected


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_task_with_nothing_upstream_runs_under_every_rule(rule: str) -> None:
    assert verdict(rule, []) == "run"


def graph_with_rules(*tasks: tuple[str, str, str]) -> Graph:
    return Graph(
        dag=DagInfo(id="dag"),
        tasks=tuple(
            Task(id=name, call="m:f", upstream=tuple(upstream.split()), trigger_rule=rule)
            for name, upstream, rule in tasks
        ),
    )


def test_a_failure_fails_what_needs_it_and_nothing_else() -> None:
    graph = graph_with_rules(
        ("a", "", "all_success"),
        ("b", "", "all_success"),
        ("c", "a b", "all_success"),
        ("d", "b", "all_success"),
        ("e", "c", "all_success"),
        ("f", "c", "none_skipped"),
        ("g", "c", "all_skipped"),
        ("h", "g", "all_success"),
    )

    found = outcomes(graph, {"a": F, "b": S, "d": S, "f": S})

    assert found == {"a": F, "b": S, "c": U, "d": S, "e": U, "f": S, "g": K, "h": K}
    assert list(found) == list("abcdefgh")


def test_what_a_cancelled_run_did_not_reach_has_no_status() -> None:
    graph = graph_with_rules(("a", "", "all_success"), ("b", "a", "all_success"), ("c", "b", "all_success"))

    assert outcomes(graph, {"a": S}) == {"a": S}

"""The statuses of the tasks that did not run, from those that did.

A state machine records only what it ran. Which of the other tasks are ``upstream_failed`` and which are ``skipped``
follows from the trigger rules alone, as Airflow defines them
(https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/dags.html#trigger-rules).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Literal, TypeAlias

from stepweave.graph.model import Graph
from stepweave.graph.order import topological_order

Verdict: TypeAlias = Literal["run", "skipped", "upstream_failed"]
"""What a trigger rule makes of a task once all its upstream tasks have ended."""

FAILURES = frozenset({"failed", "upstream_failed"})


def _all_success(seen: Collection[str]) -> Verdict:
    return _none_failed(seen) if not FAILURES.isdisjoint(seen) else "skipped" if "skipped" in seen else "run"


def _none_failed(seen: Collection[str]) -> Verdict:
    return "run" if FAILURES.isdisjoint(seen) else "upstream_failed"


def _none_failed_min_one_success(seen: Collection[str]) -> Verdict:
    if not FAILURES.isdisjoint(seen):
        return "upstream_failed"
    return "skipped" if seen and "success" not in seen else "run"


def _none_skipped(seen: Collection[str]) -> Verdict:
    return "skipped" if "skipped" in seen else "run"


def _all_failed(seen: Collection[str]) -> Verdict:
    return "run" if FAILURES.issuperset(seen) else "skipped"


def _all_skipped(seen: Collection[str]) -> Verdict:
    return "run" if all(status == "skipped" for status in seen) else "skipped"


def _all_done(seen: Collection[str]) -> Verdict:
    return "run"


RULES: dict[str, Callable[[Collection[str]], Verdict]] = {
    "all_success": _all_success,
    "all_done": _all_done,
    "all_failed": _all_failed,
    "all_skipped": _all_skipped,
    "none_failed": _none_failed,
    "none_skipped": _none_skipped,
    "none_failed_min_one_success": _none_failed_min_one_success,
}
"""The trigger rules that can be used, each with its meaning."""


def verdict(rule: str, upstream: Collection[str]) -> Verdict:
    """What becomes of a task with trigger rule ``rule`` whose upstream tasks ended with these statuses.

    ``verdict("all_success", ["success", "failed"])`` is ``"upstream_failed"``.
    """
    return RULES[rule](upstream)


def outcomes(graph: Graph, ran: Mapping[str, str]) -> dict[str, str]:
    """Statuses of all tasks in the order written, given those of the tasks that ran.

    A task that could have run but is not in ``ran`` (the run was cancelled before) is left out, and so is every
    task whose status depends on such a one.
    """
    found: dict[str, str] = {}
    for task_id in topological_order(graph):
        if task_id in ran:
            found[task_id] = ran[task_id]
            continue
        task = graph[task_id]
        if all(up in found for up in task.upstream):
            result = verdict(task.trigger_rule, [found[up] for up in task.upstream])
            if result != "run":
                found[task_id] = result
    return {task.id: found[task.id] for task in graph.tasks if task.id in found}

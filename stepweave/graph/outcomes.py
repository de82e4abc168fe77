"""What becomes of a task: by its guards, its trigger rule, and how the tasks before it ended.

The trigger rules mean what they mean in Airflow
(https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/dags.html#trigger-rules, and its
``trigger_rule_dep.py`` for what the page leaves open), over the final statuses of all upstream tasks. Rules that need
only one upstream task (``one_success``, ``one_failed``, ``one_done``) do not wait for the others where one decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Literal, TypeAlias

from stepweave.graph.constructs import Guard
from stepweave.graph.model import Graph, Task
from stepweave.graph.order import predecessors, topological_order

Verdict: TypeAlias = Literal["run", "skipped", "upstream_failed"]
"""What becomes of a task once what it waits for has ended."""

FAILURES = frozenset({"failed", "upstream_failed"})
EARLY_RULES = frozenset({"one_success", "one_failed", "one_done"})
"""Trigger rules that one upstream task alone can decide."""
SETUP_RULE = "all_done_setup_success"
"""Trigger rule that waits for all upstream tasks, and looks at those that are setups."""


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


def _one_success(seen: Collection[str]) -> Verdict:
    if "success" in seen or not seen:
        return "run"
    return "skipped" if all(status == "skipped" for status in seen) else "upstream_failed"


def _one_failed(seen: Collection[str]) -> Verdict:
    return "run" if not seen or not FAILURES.isdisjoint(seen) else "skipped"


def _one_done(seen: Collection[str]) -> Verdict:
    return "run" if not seen or "success" in seen or "failed" in seen else "skipped"


RULES: dict[str, Callable[[Collection[str]], Verdict]] = {
    "all_success": _all_success,
    "all_failed": _all_failed,
    "all_done": _all_done,
    "all_skipped": _all_skipped,
    "one_success": _one_success,
    "one_failed": _one_failed,
    "one_done": _one_done,
    "none_failed": _none_failed,
    "none_skipped": _none_skipped,
    "none_failed_min_one_success": _none_failed_min_one_success,
    "always": _all_done,
    SETUP_RULE: _one_success,
}
"""The trigger rules, each with its meaning over the statuses that it looks at."""


def verdict(rule: str, upstream: Collection[str]) -> Verdict:
    """What becomes of a task with trigger rule ``rule`` when the tasks that the rule looks at ended like this.

    ``verdict("all_success", ["success", "failed"])`` is ``"upstream_failed"``.
    """
    return RULES[rule](upstream)


def looked_at(graph: Graph, task: Task) -> tuple[str, ...]:
    """Upstream tasks whose statuses the trigger rule of ``task`` looks at."""
    if task.trigger_rule == SETUP_RULE:
        return tuple(up for up in task.upstream if up in graph and graph[up].setup)
    return task.upstream


def verdict_of(
    graph: Graph, task: Task, statuses: Mapping[str, str], chosen: Mapping[str, Collection[str]]
) -> Verdict:
    """What becomes of ``task``: its guards, outermost first, then its trigger rule.

    ``chosen`` gives the cases that each decider chose. What has not ended is left out of ``statuses``.
    """
    for guard in task.guards:
        stopped = _guarded(guard, statuses.get(guard.decider, ""), chosen.get(guard.decider, ()))
        if stopped != "run":
            return stopped
    if task.trigger_rule == "always":
        return "run"
    return verdict(task.trigger_rule, [statuses[up] for up in looked_at(graph, task) if up in statuses])


def _guarded(guard: Guard, status: str, chosen: Collection[str]) -> Verdict:
    if status == "success":
        return "run" if any(case in chosen for case in guard.cases) else "skipped"
    if not guard.block:
        return "run"
    return "upstream_failed" if status in FAILURES else "skipped"


def outcomes(
    graph: Graph, ran: Mapping[str, str], chosen: Mapping[str, Collection[str]] | None = None
) -> dict[str, str]:
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
        if all(before in found for before in predecessors(task)):
            result = verdict_of(graph, task, found, chosen or {})
            if result != "run":
                found[task_id] = result
    return {task.id: found[task.id] for task in graph.tasks if task.id in found}

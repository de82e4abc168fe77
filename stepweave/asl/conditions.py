"""Trigger rules as JSONata conditions over records and tallies.

A record is ``{"status": ..., "by"?: [...]}``; a tally is ``{"n": not successful, "f": of them failed, "by":
[...]}`` of many tasks. ``by`` names the tasks with which it began; in a tally, only those that failed.
"""

from __future__ import annotations

from dataclasses import dataclass

from stepweave.asl.sight import Seen
from stepweave.asl.text import quoted
from stepweave.graph.constructs import Guard

MAX_NAMED = 20
"""Tasks that ``by`` names at most, so that no record grows with the number of failures."""

_FAILED = "['failed', 'upstream_failed']"
_MAX_CHAIN = 4


@dataclass(frozen=True, slots=True)
class Upstream:
    """The upstream tasks of a check, as they are seen there."""

    seen: tuple[Seen, ...]
    total: int
    """Number of tasks."""

    @property
    def records(self) -> list[str]:
        return [seen.expression for seen in self.seen if not seen.is_tally]

    @property
    def tallies(self) -> list[str]:
        return [seen.expression for seen in self.seen if seen.is_tally]

    def not_successful(self) -> str:
        return self._count("[status != 'success']", "n")

    def failed(self) -> str:
        return self._count(f"[status in {_FAILED}]", "f")

    def count(self, *statuses: str) -> str:
        """How many records have one of ``statuses``; no tally can tell."""
        assert not self.tallies
        listed = ", ".join(f"'{status}'" for status in statuses)
        return f"$count([{', '.join(self.records)}][status in [{listed}]])"

    def _count(self, predicate: str, member: str) -> str:
        terms = [f"$count([{', '.join(self.records)}]{predicate})"] if self.records else []
        return " + ".join(terms + [f"{tally}.{member}" for tally in self.tallies])

    def by(self) -> str:
        """The tasks with which the failures began, without repetition; skips are left out."""
        # In parentheses: JSONata 2.0.6 gives nothing for `[one][predicate].by`.
        records = [f"([{', '.join(self.records)}][status in {_FAILED}]).by"] if self.records else []
        everything = ", ".join(records + [f"{tally}.by" for tally in self.tallies])
        return first_named(everything)


def first_named(names: str) -> str:
    """JSONata for the tasks that the expressions ``names`` (lists, with commas between) name, at most ``MAX_NAMED``."""
    return f"[$distinct([{names}])[[0..{MAX_NAMED - 1}]]]"


def met(rule: str, upstream: Upstream) -> str | None:
    """The condition under which a task with ``rule`` runs; None if it always does.

    Meaning of the rules: https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/dags.html#trigger-rules
    """
    if not upstream.seen:
        return None
    match rule:
        case "all_success":
            return _all_success(upstream)
        case "all_failed":
            return f"{upstream.failed()} = {upstream.total}"
        case "all_skipped":
            return f"{upstream.not_successful()} - ({upstream.failed()}) = {upstream.total}"
        case "none_failed":
            return f"{upstream.failed()} = 0"
        case "none_skipped":
            return f"{upstream.not_successful()} - ({upstream.failed()}) = 0"
        case "none_failed_min_one_success":
            return f"{upstream.failed()} = 0 and {upstream.not_successful()} < {upstream.total}"
        case "one_success" | "all_done_setup_success":
            return f"{upstream.count('success')} > 0"
        case "one_failed":
            return f"{upstream.failed()} > 0"
        case "one_done":
            return f"{upstream.count('success', 'failed')} > 0"
        case _:
            return None


def _all_success(upstream: Upstream) -> str:
    if len(upstream.seen) <= _MAX_CHAIN:
        tests = [f"{record}.status = 'success'" for record in upstream.records]
        return " and ".join(tests + [f"{tally}.n = 0" for tally in upstream.tallies])
    return f"{upstream.not_successful()} = 0"


def status_if_not_met(rule: str, upstream: Upstream) -> str:
    """Expression for the status of a task whose ``rule`` is not met."""
    if rule in ("one_success", "all_done_setup_success"):
        return f"{upstream.count('skipped')} = {upstream.total} ? 'skipped' : 'upstream_failed'"
    if rule in ("all_success", "none_failed", "none_failed_min_one_success"):
        return f"{upstream.failed()} > 0 ? 'upstream_failed' : 'skipped'"
    return "'skipped'"


@dataclass(frozen=True, slots=True)
class Asked:
    """A guard that a task asks: what the decider's record is, and which of its cases will do."""

    record: str
    guard: Guard

    def met(self) -> str:
        """The condition under which the guard lets the task run."""
        chosen = " or ".join(f"{quoted(case)} in {self.record}.chosen" for case in self.guard.cases)
        if self.guard.block:
            return f"({self.record}.status = 'success' and ({chosen}))"
        return f"({self.record}.status != 'success' or {chosen})"

    def status_if_not_met(self) -> str:
        """Expression for the status of a task that the guard does not let run."""
        if self.guard.block:
            return f"{self.record}.status in {_FAILED} ? 'upstream_failed' : 'skipped'"
        return "'skipped'"


def guarded(asked: tuple[Asked, ...], rule_met: str | None) -> str | None:
    """The condition under which a task runs that has guards beside its rule."""
    parts = [one.met() for one in asked]
    if rule_met is not None:
        parts.append(f"({rule_met})" if parts else rule_met)
    return " and ".join(parts) or None


def status_if_stopped(asked: tuple[Asked, ...], rule_status: str) -> str:
    """Expression for the status of a task whose guards or whose rule stop it: the outermost guard tells."""
    text = rule_status
    for one in reversed(asked):
        text = f"$not{one.met()} ? ({one.status_if_not_met()}) : ({text})"
    return text

"""Airflow's trigger rules written out once more, so that there is something to compare with.

What a rule says depends only on *which* statuses occur upstream, never on how many tasks have them. So a rule is a
function of a set, and whether its verdict is certain before all upstream tasks have ended is found by trying every
set that could still come (``settled``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from itertools import chain, combinations
from math import inf
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["success", "failed", "skipped", "upstream_failed"]
Verdict: TypeAlias = Literal["run", "skipped", "upstream_failed"]

STATUSES: tuple[Status, ...] = ("success", "failed", "skipped", "upstream_failed")
FAILURES = frozenset({"failed", "upstream_failed"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One upstream task as a trigger rule sees it."""

    status: Status
    at: float = 0.0
    """Second at which it ended, or at which it was certain that it would not run."""
    setup: bool = False


def _all_success(kinds: Set[str]) -> Verdict:
    return "upstream_failed" if kinds & FAILURES else "skipped" if "skipped" in kinds else "run"


def _all_failed(kinds: Set[str]) -> Verdict:
    return "run" if kinds <= FAILURES else "skipped"


def _all_skipped(kinds: Set[str]) -> Verdict:
    return "run" if kinds <= {"skipped"} else "skipped"


def _run(kinds: Set[str]) -> Verdict:
    return "run"


def _none_failed(kinds: Set[str]) -> Verdict:
    return "upstream_failed" if kinds & FAILURES else "run"


def _none_failed_min_one_success(kinds: Set[str]) -> Verdict:
    return "upstream_failed" if kinds & FAILURES else "run" if "success" in kinds else "skipped"


def _none_skipped(kinds: Set[str]) -> Verdict:
    return "skipped" if "skipped" in kinds else "run"


def _one_success(kinds: Set[str]) -> Verdict:
    return "run" if "success" in kinds else "skipped" if kinds == {"skipped"} else "upstream_failed"


def _one_failed(kinds: Set[str]) -> Verdict:
    return "run" if kinds & FAILURES else "skipped"


def _one_done(kinds: Set[str]) -> Verdict:
    return "run" if kinds & {"success", "failed"} else "skipped"


def _all_done_setup_success(kinds: Set[str]) -> Verdict:
    """Of the statuses of the setups alone."""
    if not kinds or "success" in kinds:
        return "run"
    return "skipped" if kinds == {"skipped"} else "upstream_failed"


RULES: dict[str, Callable[[Set[str]], Verdict]] = {
    "all_success": _all_success,
    "all_failed": _all_failed,
    "all_done": _run,
    "all_skipped": _all_skipped,
    "one_success": _one_success,
    "one_failed": _one_failed,
    "one_done": _one_done,
    "none_failed": _none_failed,
    "none_skipped": _none_skipped,
    "none_failed_min_one_success": _none_failed_min_one_success,
    "always": _run,
    "all_done_setup_success": _all_done_setup_success,
}
"""What each of the twelve rules makes of the set of statuses upstream, which is not empty."""

FIRST_TO_DECIDE: dict[str, frozenset[str]] = {
    "one_success": frozenset({"success"}),
    "one_failed": FAILURES,
    "one_done": frozenset({"success", "failed"}),
}
"""Rules that run as soon as one upstream task has such a status."""


def verdict(rule: str, upstream: Iterable[Seen]) -> Verdict:
    """What becomes of a task, by the final statuses of its upstream tasks.

    >>> verdict("one_success", [Seen("failed"), Seen("success")])
    'run'
    """
    seen = list(upstream)
    if not seen:
        return "run"
    if rule == "all_done_setup_success":
        seen = [one for one in seen if one.setup]
    return RULES[rule]({one.status for one in seen})


def decided_at(rule: str, upstream: Iterable[Seen]) -> float:
    """Second at which the rule lets the task run or not: when all upstream tasks have ended, ``one_*`` sooner."""
    seen = list(upstream)
    if rule == "always" or not seen:
        return 0.0
    firsts = [one.at for one in seen if one.status in FIRST_TO_DECIDE.get(rule, ())]
    return min(firsts) if firsts else max(one.at for one in seen)


def hopeless_at(rule: str, upstream: Iterable[Seen]) -> float:
    """First second at which it is certain that the rule will not let the task run; infinite where it will."""
    seen = sorted(upstream, key=lambda one: one.at)
    if verdict(rule, seen) == "run":
        return inf
    for count in range(1, len(seen)):
        if not _may_run(rule, seen[:count], seen[count:]):
            return seen[count - 1].at
    return seen[-1].at


def _may_run(rule: str, ended: list[Seen], others: list[Seen]) -> bool:
    """Whether some ways for ``others`` to end would let the task run."""
    setups = {one.setup for one in others}
    kinds = [Seen(status, setup=setup) for status in STATUSES for setup in setups]
    sets = chain.from_iterable(combinations(kinds, size) for size in range(1, len(kinds) + 1))
    return any(verdict(rule, [*ended, *rest]) == "run" for rest in sets if len(rest) <= len(others))

"""Whether Batch runs another attempt (https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt ended."""

    exit_code: int | None
    """None when no container ended by itself, as where its host was lost."""
    status_reason: str
    reason: str = ""
    """Of the container, e.g. that its memory was not enough."""
    final: bool = False
    """Whether it was stopped by somebody, or by its timeout: then no other attempt follows."""


def again(strategy: Mapping[str, Any], attempt: int, ending: Ending) -> bool:
    """Whether attempt number ``attempt`` (from 1), which ended so, is followed by another."""
    if ending.exit_code == 0 or ending.final or attempt >= int(strategy.get("attempts") or 1):
        return False
    for rule in strategy.get("evaluateOnExit") or ():
        if _matches(rule, ending):
            return str(rule["action"]).upper() == "RETRY"
    return True


def _matches(rule: Mapping[str, Any], ending: Ending) -> bool:
    """Whether every condition of the rule holds; a ``*`` at the end of a condition stands for anything."""
    code = "" if ending.exit_code is None else str(ending.exit_code)
    conditions = (("onExitCode", code), ("onStatusReason", ending.status_reason), ("onReason", ending.reason))
    return all(fnmatchcase(text, _pattern(rule[name])) for name, text in conditions if rule.get(name))


def _pattern(condition: str) -> str:
    """The condition as a pattern in which only a ``*`` at its end means something."""
    stem = condition.removesuffix("*")
    escaped = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in stem)
    return escaped + ("*" if condition.endswith("*") else "")

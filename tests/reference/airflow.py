"""``airflow_table.json``: Airflow's verdict for every trigger rule and every combination of up to three upstream tasks.

Read from ``_evaluate_direct_relatives`` of Airflow, with all upstream tasks done
(https://github.com/apache/airflow/blob/04503ab6b110f6192021872e9e44cda173449b91/airflow/ti_deps/deps/trigger_rule_dep.py;
the meaning in words: https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/dags.html#trigger-rules).
Airflow counts states, sets a new state where a rule is broken for good (its first ladder of conditions), and lets the
task run where no condition of the second ladder objects. Both ladders are here, in its order and on its counts, so that
they can be laid beside the source line by line. ``python -m tests.reference.airflow`` writes the table.

Two things are left out. A rule is judged when all upstream tasks are done: Airflow judges now and then, and may find
``skipped`` where a failure still to come would make it ``upstream_failed``. And ``_evaluate_setup_constraint`` looks at
setups further up, of which a task here knows nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path

TABLE = Path(__file__).with_name("airflow_table.json")
RULES = (
    "all_success", "all_failed", "all_done", "all_skipped", "one_success", "one_failed", "one_done", "none_failed",
    "none_skipped", "none_failed_min_one_success", "always", "all_done_setup_success",
)  # fmt: skip
STATES = ("success", "failed", "skipped", "upstream_failed")
SETUP = " (setup)"
"""Marks the state of an upstream task that is a setup."""


def combinations(rule: str) -> Iterator[tuple[str, ...]]:
    """One to three upstream states; where the rule looks for setups, of setups and others."""
    kinds = STATES + tuple(state + SETUP for state in STATES) if rule == "all_done_setup_success" else STATES
    for size in (1, 2, 3):
        yield from combinations_with_replacement(kinds, size)


def verdict(rule: str, upstream: tuple[str, ...]) -> str:
    """``run``, ``skipped`` or ``upstream_failed``."""
    states = Counter(state.removesuffix(SETUP) for state in upstream)
    setups = Counter(state.removesuffix(SETUP) for state in upstream if state.endswith(SETUP))
    found = _new_state(rule, states, setups, len(upstream))
    if found:
        return found
    if not _passes(rule, states, setups, len(upstream)):
        raise AssertionError(f"Airflow would wait for ever: {rule} {upstream}")
    return "run"


def _new_state(rule: str, n: Counter[str], setups: Counter[str], upstream: int) -> str | None:
    """The first ladder: ``new_state``."""
    failed = n["failed"] + n["upstream_failed"]
    with_setup = setups.total() > 0
    ladder: dict[str, tuple[tuple[str, bool], ...]] = {
        "all_success": (("upstream_failed", failed > 0), ("skipped", n["skipped"] > 0)),
        "all_failed": (("skipped", n["success"] > 0 or n["skipped"] > 0),),
        "one_success": (("skipped", n["skipped"] == upstream), ("upstream_failed", n["success"] <= 0)),
        "one_failed": (("skipped", not failed),),
        "one_done": (("skipped", not (n["failed"] or n["success"])),),
        "none_failed": (("upstream_failed", failed > 0),),
        "none_failed_min_one_success": (
            ("upstream_failed", failed > 0),
            ("skipped", n["skipped"] == upstream),
        ),
        "none_skipped": (("skipped", n["skipped"] > 0),),
        "all_skipped": (("skipped", n["success"] + failed > 0),),
        "all_done_setup_success": (
            ("skipped", with_setup and setups["skipped"] >= setups.total()),
            ("upstream_failed", with_setup and setups["success"] == 0),
        ),
    }
    return next((state for state, holds in ladder.get(rule, ()) if holds), None)


def _passes(rule: str, n: Counter[str], setups: Counter[str], upstream: int) -> bool:
    """The second ladder: no ``_failing_status``."""
    failed = n["failed"] + n["upstream_failed"]
    return {
        "always": True,
        "one_success": n["success"] > 0,
        "one_failed": failed > 0,
        "one_done": n["success"] + n["failed"] > 0,
        "all_success": upstream - n["success"] <= 0,
        "all_failed": upstream - failed <= 0,
        "all_done": True,
        "none_failed": upstream - n["success"] - n["skipped"] <= 0,
        "none_failed_min_one_success": upstream - n["success"] - n["skipped"] <= 0,
        "none_skipped": n["skipped"] <= 0,
        "all_skipped": upstream - n["skipped"] <= 0,
        "all_done_setup_success": not setups.total() or setups["success"] > 0,
    }[rule]


def table() -> dict[str, dict[str, str]]:
    """Rule → upstream states, joined by a comma → verdict."""
    return {rule: {", ".join(row): verdict(rule, row) for row in combinations(rule)} for rule in RULES}


if __name__ == "__main__":
    TABLE.write_text(json.dumps(table(), indent=1) + "\n")

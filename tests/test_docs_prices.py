"""The pages tell what each construct costs, and a run of each shows that it costs no more."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepweave import If, dag, task
from stepweave.compiler import compile_graph
from tests.control.test_prices import PRICES

PAGE = (Path(__file__).parent.parent / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_page_has_the_price_of_every_construct_and_no_other() -> None:
    table = PAGE.split("## Prices of constructs")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \|", table, re.M)
    told = {name: (int(calls), int(extra)) for name, calls, extra in rows}
    assert told == {name: (price.calls, price.extra) for name, price in PRICES.items()}


@task
def first() -> dict[str, int]:
    return {"k": 1}


@task
def second(value: Any = None) -> int:
    return 1


def tell(status: str) -> None:
    """Is told of the end."""


def conditional(likely: bool) -> Callable[[], None]:
    def written() -> None:
        known = first()
        with If(known["k"] > 0, likely=likely):
            second()

    return written


def chain() -> None:
    second(first())


def transitions(function: Callable[[], None], **options: Any) -> int:
    return compile_graph(dag(dag_id="priced", **options)(function).graph()).report.transitions


def test_a_likely_block_costs_seven_more_and_one_for_running_beside_its_condition() -> None:
    assert transitions(conditional(True)) - transitions(conditional(False)) == 7 + 1
    assert "costs 7 more than in an ordinary one, and 1 for running beside its condition" in PAGE


@pytest.mark.parametrize(
    "options, more",
    [
        ({"fail_fast": True}, 0),
        ({"max_failed_tasks": 2}, 0),
        ({"retries": 2}, 0),
        ({"timeout": "1h"}, 0),
        ({"on_failure": tell}, 0),
        ({"on_success": tell}, 2),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else None,
)
def test_what_options_of_a_dag_cost_a_run_that_succeeds(options: dict[str, Any], more: int) -> None:
    assert transitions(chain, **options) - transitions(chain) == more

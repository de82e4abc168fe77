"""The page on performance tells what each construct costs, and a run of each shows that it costs no more."""

from __future__ import annotations

import re
from pathlib import Path

from tests.control.test_prices import PRICES

PAGE = (Path(__file__).parent.parent / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_page_has_the_price_of_every_construct_and_no_other() -> None:
    table = PAGE.split("## Prices of constructs")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \|", table, re.M)
    told = {name: (int(calls), int(extra)) for name, calls, extra in rows}
    assert told == {name: (price.calls, price.extra) for name, price in PRICES.items()}

"""Quantities and bills."""

from __future__ import annotations

import pytest

from stepweave.pricing.prices import PRICES
from stepweave.pricing.usage import Usage, bill, total


def test_usages_add_up_and_multiply() -> None:
    one = Usage.of(transition=2, s3_put=1)
    assert (one + Usage.of(transition=3)).amounts == {"transition": 5, "s3_put": 1}
    assert one.times(10).amounts == {"transition": 20, "s3_put": 10}
    assert total([one, one, Usage()]).amounts == {"transition": 4, "s3_put": 2}


def test_a_bill_has_the_dearest_line_first_and_adds_up() -> None:
    usage = Usage.of(transition=1_000_000, secret=1, alarm=3)
    lines = bill(usage)
    assert [line.usd for line in lines] == pytest.approx([25.0, 0.4, 0.3])
    assert sum(line.usd for line in lines) == pytest.approx(usage.usd())
    assert (lines[0].service, lines[0].unit) == ("Step Functions", "transition")


def test_free_shares_are_taken_off_and_never_become_a_credit() -> None:
    usage = Usage.of(alarm=12, dashboard=2, secret=1).less_free()
    assert usage.amounts["alarm"] == 12 - PRICES["alarm"].free
    assert usage.amounts["dashboard"] == 0
    assert usage.amounts["secret"] == 1

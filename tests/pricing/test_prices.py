"""The one table of prices."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepweave.errors import UsageError
from stepweave.pricing.prices import FACTORS, PRICES, REGIONS, Price, usd

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("price", PRICES.values(), ids=PRICES)
def test_every_price_has_a_unit_and_its_page_at_aws(price: Price) -> None:
    assert price.usd > 0
    assert price.unit
    assert re.fullmatch(r"https://aws\.amazon\.com/\S+/pricing/(\S+/)?", price.source)
    assert re.fullmatch(r"(20\d\d-\d\d)?", price.compared)


def test_a_region_has_its_own_price_where_it_differs() -> None:
    assert usd("cpu_arm64", "eu-central-1") == pytest.approx(usd("cpu_arm64") * 0.115 / 0.096)
    assert usd("transition", "sa-east-1") == pytest.approx(0.0375e-3)
    assert usd("alarm", "eu-central-1") == usd("alarm") == 0.10


def test_an_unknown_region_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no prices for the region 'mars-1'; there are: .*eu-west-1"):
        usd("cpu_arm64", "mars-1")


def test_factors_are_of_services_and_regions_that_there_are() -> None:
    assert set(FACTORS) <= {price.service for price in PRICES.values()}
    assert {region for factors in FACTORS.values() for region in factors} <= set(REGIONS)


def test_no_other_module_holds_a_price() -> None:
    table = {f"{price.usd:.12f}".rstrip("0") for price in PRICES.values() if price.usd < 0.001}
    for path in (ROOT / "stepweave").rglob("*.py"):
        if path.name == "prices.py":
            continue
        numbers = re.findall(r"\b0\.0\d{3,}\b", path.read_text(encoding="utf-8"))
        assert not table & set(numbers), path

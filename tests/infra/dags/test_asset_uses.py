"""Assets that code reads and publishes are found in its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.dags.asset_uses import AssetUses, asset_uses
from tests.infra.dags.flows import ROOT


def found(tmp_path: Path, source: str) -> AssetUses:
    file = tmp_path / "code.py"
    file.write_text(source)
    return asset_uses([file])


@pytest.mark.parametrize(
    "source, uses",
    [
        ("get_current_context().publish('m', 'p', 1)", AssetUses(written=("m",))),
        ("context.latest('m', day)", AssetUses(read=("m",))),
        ("NAME = 'm'\ndef f():\n    context.latest(NAME, 'p')", AssetUses(read=("m",))),
        ("NAME: str = 'm'\ncontext.latest(name=NAME, partition='p')", AssetUses(read=("m",))),
        ("context.latest(f'm-{x}', 'p')\ncontext.latest('n', 'p')", AssetUses(read=("",))),
        ("def f(name): context.publish(name, 'p', 1)", AssetUses(written=("",))),
        ("context.latest('m', 'p')\ncontext.publish('m', 'p', 1)", AssetUses(written=("m",))),
        ("page.publish()\nshelf.latest(3)\npublish('m', 'p', 1)", AssetUses()),
    ],
)
def test_uses_of_assets(tmp_path: Path, source: str, uses: AssetUses) -> None:
    assert asset_uses([]) == AssetUses()
    assert found(tmp_path, source) == uses


def test_the_example_of_an_event_driven_pipeline_publishes_its_three_assets() -> None:
    uses = asset_uses([ROOT / "statemachines/examples/e31_event_driven.py"])
    assert uses == AssetUses(written=("churn-model", "customer-means", "customers"))

"""What docs/cost.md says of environments in which nothing runs is what their templates say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.idle_page import ENVIRONMENTS, MANY, PAGE, Environment, environment, table

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def environments() -> dict[str, Environment]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return {name: environment(name) for name in ENVIRONMENTS}


def test_the_page_is_up_to_date(environments: dict[str, Environment]) -> None:
    """When this fails: `make compile`."""
    assert table(iter(environments.values())) in (ROOT / PAGE).read_text(encoding="utf-8")


def test_fifty_dags_without_runs_cost_less_than_five_dollars_a_month(
    environments: dict[str, Environment],
) -> None:
    assert environments["dev"].month(MANY).usd() < 5


def test_a_dag_adds_nothing_to_what_is_paid_while_idle_unless_it_is_asked_for(
    environments: dict[str, Environment],
) -> None:
    assert environments["dev"].dag.all.usd() == 0
    assert environments["prod"].dag.all.usd() > 0


def test_no_environment_keeps_instances_or_a_nat_gateway(environments: dict[str, Environment]) -> None:
    for each in environments.values():
        assert each.platform.instances == 0
        assert "nat" not in each.platform.all.amounts

"""The user's guide shows DAGs that work: each of them is compiled and run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepweave.authoring.dag_options import DagOptions
from stepweave.authoring.dags import Dag
from stepweave.authoring.option_values import OPTIONS
from stepweave.compiler import compile_graph
from stepweave.embedded.request import RunRequest
from stepweave.embedded.run import run_dag
from stepweave.graph.outcomes import RULES
from stepweave.loading import dags_in, load

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.S)

TASKS = {
    "churn": 5,
    "ordered": 11,
    "gate": 10,
    "branching": 7,
    "mapping": 6,
    "markets": 3,
    "halving": 3,
    "city_features": 3,
    "cities": 5,
    "on_a_cluster": 3,
    "patiently": 1,
    "fallbacks": 3,
    "long_training": 1,
    "releasing": 2,
    "copies": 5,
    "rates": 1,
    "waits": 2,
    "signing_off": 4,
    "nightly": 1,
    "strict": 2,
    "sweeps": 7,
    "pictures": 1,
    "forecast_de": 1,
    "forecast_jp": 1,
}
"""The DAGs of the guide, and how many nodes each has."""

SKIPPED = {
    "gate": {"step", "alert", "cheer"},
    "branching": {"prepare_all.step", "prepare_all.step__1"},
}
"""Tasks that the snippets do not choose; all others succeed."""

ASKS_A_PERSON = {"signing_off"}


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Dag]]:
    before = list(sys.path)
    file = tmp_path_factory.mktemp("guide") / "the_guide.py"
    file.write_text("\n".join(BLOCKS))
    load(f"{file}:churn")
    yield dags_in(sys.modules["the_guide"])
    sys.path[:] = before


def test_the_guide_has_these_dags(guide: dict[str, Dag]) -> None:
    assert {name: len(dag.graph()) for name, dag in guide.items()} == TASKS


@pytest.mark.parametrize("name", TASKS)
def test_every_dag_of_the_guide_compiles(guide: dict[str, Dag], name: str) -> None:
    assert compile_graph(guide[name].graph()).report.transitions > TASKS[name]


@pytest.mark.parametrize("name", sorted(TASKS.keys() - ASKS_A_PERSON))
def test_every_dag_of_the_guide_runs(guide: dict[str, Dag], name: str, tmp_path: Path) -> None:
    result = run_dag(RunRequest(dag=guide[name], inline=True, store=str(tmp_path)))
    assert result.error == ""
    skipped = {task for task, run in result.tasks.items() if run.status == "skipped"}
    assert skipped == SKIPPED.get(name, set())
    assert {run.status for run in result.tasks.values()} <= {"success", "skipped"}


def test_the_guide_names_every_option_and_trigger_rule() -> None:
    names = (*OPTIONS, *DagOptions.__dataclass_fields__, *RULES)
    assert [name for name in names if f"`{name}" not in GUIDE] == []


def test_the_table_of_contents_leads_to_headings() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^## (.*)$", GUIDE, re.M)
    }
    linked = set(re.findall(r"\]\(#([a-z0-9-]+)\)", GUIDE))
    assert linked <= headings
    assert len(headings - linked) == 0


def test_every_mistake_that_the_guide_names_is_one_that_is_reported() -> None:
    named = {
        code
        for paragraph in re.findall(r"^- \*\*Errors\*\*: .*(?:\n  .*)*", GUIDE, re.M)
        for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", paragraph)
    }
    package = Path(__file__).parents[2] / "stepweave"
    source = "".join(path.read_text(encoding="utf-8") for path in package.glob("[ag]*/*.py"))
    assert len(named) > 20
    assert [code for code in sorted(named) if f'"{code}"' not in source] == []

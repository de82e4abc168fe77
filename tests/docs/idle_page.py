"""Writes what environments cost while idle into docs/cost.md: ``python -m tests.docs.idle_page``; ``--check`` checks.

The stacks are synthesized with code in which nothing is installed: what they cost does not depend on it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.app import add_environment, compiled_dags, new_app
from infra.code import CodeFolder
from infra.settings import load
from stepweave.cli.costs.telling import dollars
from stepweave.pricing.idle import Idle, idle, templates_in
from stepweave.pricing.usage import Usage
from tests.docs.computed_parts import update
from tests.infra.dags.empty_code import EmptyCode

PAGE = Path("docs") / "cost.md"
ENVIRONMENTS = ("dev", "staging", "prod")
DAG = "churn"
"""A DAG with everything that may cost something: a schedule, a trigger, light tasks and jobs."""
MANY = 50


class SharedToo(EmptyCode):
    """Code of the platform as well."""

    def shared(self, part: str) -> CodeFolder:
        """A function of the platform."""
        return self._zip(f"shared {part}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What an environment costs while nothing runs."""

    name: str
    platform: Idle
    dag: Idle

    def month(self, dags: int) -> Usage:
        """A month with so many DAGs, without its network."""
        return self.platform.usage + self.dag.usage.times(dags)


def environment(name: str) -> Environment:
    """The environment ``name`` of this repository, from its templates."""
    with tempfile.TemporaryDirectory() as folder:
        app = new_app({"env": name}, f"{folder}/cdk.out")
        compiled = compiled_dags([DAG])
        add_environment(app, load(name, Path()), compiled, code=SharedToo(Path(folder)))
        app.synth()
        found = templates_in(Path(folder))
    platform = [template for file, template in found.items() if "platform" in file]
    dags = [template for file, template in found.items() if "platform" not in file]
    assert (len(platform), len(dags)) == (1, 1), sorted(found)
    return Environment(name=name, platform=_known(platform[0]), dag=_known(dags[0]))


def _known(template: Mapping[str, Any]) -> Idle:
    found = idle([template])
    assert not found.unknown, found.unknown
    return found


def table(environments: Iterator[Environment]) -> str:
    """The computed part of the page."""
    rows = [
        f"| environment | platform | each DAG | {MANY} DAGs | less the free tiers | network |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for each in environments:
        network = each.platform.all.usd() - each.platform.usage.usd()
        cells = (
            f"`{each.name}`",
            dollars(each.platform.usage.usd()),
            dollars(each.dag.usage.usd()),
            f"**{dollars(each.month(MANY).usd())}**",
            dollars(each.month(MANY).less_free().usd()),
            dollars(network),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main(check: bool) -> int:
    """Write the page, or tell that it is not up to date; the exit status."""
    return update(PAGE, {"idle": table(map(environment, ENVIRONMENTS))}, check=check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))

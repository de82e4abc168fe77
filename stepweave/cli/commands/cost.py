"""``stepweave cost``: what AWS bills."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import cast

from stepweave.authoring.dags import Dag
from stepweave.cli.answer import Answer
from stepweave.cli.assumptions import add_assumptions, cases_of, counts_of, known_seconds
from stepweave.cli.costs.dags import Asked, Cost, cost_of_all, cost_of_dag, cost_of_run
from stepweave.cli.costs.templates import cost_of_templates
from stepweave.cli.found import LATEST, find_run, open_records
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_store
from stepweave.cli.targets import load_targets
from stepweave.errors import UsageError
from stepweave.loading import load
from stepweave.pricing.prices import HOME
from stepweave.stores.records import RunRow


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    what = "a DAG (path.py, path.py:dag, its id), a run (its id or latest); none: all DAGs in ./statemachines"
    parser.add_argument("target", metavar="TARGET|RUN", nargs="?", help=what)
    add_assumptions(parser)
    parser.add_argument("--runs", type=_number, metavar="N", help="runs a month (default: by the schedule)")
    compare = "also what Metaflow on Step Functions and Amazon MWAA would cost"
    parser.add_argument("--compare", action="store_true", help=compare)
    template = "what an environment costs while nothing runs: a cloud assembly (cdk.out) or a template"
    parser.add_argument("--template", metavar="PATH", help=template)
    parser.add_argument(
        "--region", metavar="REGION", help=f"default: {HOME}, with --env that of the environment"
    )
    parser.add_argument(
        "--architecture", choices=("arm64", "x86_64"), default="arm64", help="of functions (default: arm64)"
    )
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(
    *,
    target: str | None,
    durations: str | None,
    items: list[str],
    choose: list[str],
    runs: float | None,
    compare: bool,
    template: str | None,
    region: str | None,
    architecture: str,
    store: str,
    env: str | None,
    as_json: bool,
) -> Answer:
    """Tell what AWS bills: for a run before it starts or after it has ended, for all DAGs, or for an idle environment.

    A task takes what the file says, else its mean in the latest successful runs, else one second. Prices are on demand,
    without free tiers.

    Examples:
      stepweave cost churn --durations durations.json --compare
      stepweave cost latest
      stepweave cost latest --env prod
      stepweave cost
      stepweave cost --template cdk.out
    """
    asked = Asked(
        region=region or HOME,
        architecture="x86_64" if architecture == "x86_64" else "arm64",
        runs=runs,
        compare=compare,
    )
    if env is not None:
        found = _in_environment(env, target, region, asked)
    elif template is not None:
        if target is not None:
            raise UsageError("--template and a TARGET exclude one another: ask for one after the other")
        found = cost_of_templates(template, asked.region)
    elif target is None:
        found = _cost_of_all(store, asked)
    else:
        found = _cost_of(target, durations, items, choose, store, asked)
    if not as_json:
        sys.stdout.write("\n".join(found.lines) + "\n")
    return Answer(found.value)


def _number(text: str) -> float:
    """``text`` as a number above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return found


def _cost_of_all(store: str, asked: Asked) -> Cost:
    dags, records = load_targets(()), open_records(store)
    return cost_of_all(dags, {dag.id: records.durations(dag.id) for dag in dags}, asked)


def _cost_of(
    target: str, durations: str | None, items: list[str], choose: list[str], store: str, asked: Asked
) -> Cost:
    named = _named(target, store)
    if isinstance(named, RunRow):
        if durations is not None or items or choose:
            raise UsageError(
                f"{target!r} is a run: what it took is known; --durations, --items and --choose are for DAGs"
            )
        return cost_of_run(named, store, asked)
    seconds = known_seconds(named.graph(), store, durations)
    return cost_of_dag(named, seconds, counts_of(items), cases_of(choose), asked)


def _in_environment(env: str, target: str | None, region: str | None, asked: Asked) -> Cost:
    if target is None:
        raise UsageError("--env needs a RUN: its id, the beginning of it, or latest")
    found = environment_command("cost").cost_of_deployed_run(env, target, region, asked)
    return cast(Cost, found)


def _named(target: str, store: str) -> Dag | RunRow:
    """The DAG or the run that ``target`` means; an id of a DAG comes before the beginning of a run's id."""
    if target.endswith(".py") or ":" in target or os.sep in target:
        return load(target)
    records = open_records(store)
    if target == LATEST or records.run(target) is not None:
        return find_run(records, target, store)
    try:
        return load(target)
    except UsageError:
        if records.find(target):
            return find_run(records, target, store)
        raise

"""The CDK app: ``python -m infra.app``, which ``cdk.json`` runs.

    cdk deploy -c env=dev --all           the platform and every DAG of statemachines/
    cdk deploy -c env=dev dev/digits      one stack
    cdk deploy -c env=dev -c dags=digits,e01_chain --all    without compiling the other DAGs

Reads files only: no account, no credentials, no Docker. What is deployed says the environment's file and the code.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from aws_cdk import Annotations, App, Aws
from constructs import Construct

from infra import nag
from infra.arns import Arns
from infra.code import Code
from infra.dags.fitting import fitting_problems
from infra.dags.nested import inner_dags
from infra.dags.packaged import PackagedCode
from infra.dags.stack import DagStack
from infra.platform.shared_functions import SharedCode
from infra.platform.stack import PlatformStack
from infra.settings import Settings, load
from infra.tags import tag
from stepweave.authoring.suggest import did_you_mean
from stepweave.compiler import Compiled, compile_graph
from stepweave.errors import DagError, StepweaveError, UsageError
from stepweave.loading import all_dags

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""

BOUNDARY_KEY = "@aws-cdk/core:permissionsBoundary"
"""Context by which CDK bounds every role of an app:
https://docs.aws.amazon.com/cdk/v2/guide/customize-permissions-boundaries.html"""

PLATFORM = "platform"
"""Id of the platform's stack; no DAG can have it (``stepweave.graph.checks.RESERVED_DAG_IDS``)."""


class WholeCode(Code, SharedCode, Protocol):
    """Makes everything that is deployed as code."""


def main() -> int:
    """The exit status; the assembly goes to the folder that the CDK command line names."""
    os.chdir(ROOT)  # DAGs, and the files that they name, are looked up from here
    return run(new_app(outdir=os.environ.get("CDK_OUTDIR", "cdk.out")))


def run(app: App) -> int:
    """The exit status of the synthesis of what the context of ``app`` asks for: ``env``, ``dags``, ``nag``."""
    given = str(app.node.try_get_context("dags") or "")
    try:
        settings = load(str(app.node.try_get_context("env")), ROOT)
        compiled = compiled_dags(given.split(",") if given else ())
        known = [dag.id for dag in all_dags()]
        add_environment(app, settings, compiled, code=PackagedCode(ROOT, settings), known=known)
    except StepweaveError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if app.node.try_get_context("nag"):
        return report(nag.synthesize(app))
    app.synth()
    return 0


def report(found: Sequence[nag.Finding]) -> int:
    """The exit status: 0 when all that cdk-nag found is accepted."""
    problems = nag.not_accepted(found)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    sys.stderr.write(
        f"cdk-nag: {len(found)} findings, {len(problems)} of them not accepted in infra/nag.py\n"
    )
    return 1 if problems else 0


def new_app(context: Mapping[str, Any] | None = None, outdir: str | None = None) -> App:
    """An app with the context of ``cdk.json``, which the CDK command line adds by itself, and ``context`` over it."""
    committed = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return App(
        context=committed, post_cli_context=dict(context or {}), outdir=outdir, analytics_reporting=False
    )


def compiled_dags(wanted: Iterable[str] = ()) -> tuple[Compiled, ...]:
    """Every DAG of ``statemachines/``, or those of ``wanted``, compiled.

    Raises ``UsageError`` for an id that no DAG has.
    """
    dags = {dag.id: dag for dag in all_dags()}
    chosen = list(wanted) or list(dags)
    unknown = [one for one in chosen if one not in dags]
    if unknown:
        raise UsageError(
            f"-c dags names {', '.join(unknown)}, which no DAG is; {did_you_mean(unknown[0], dags)}"
        )
    return tuple(compile_graph(dags[one].graph()) for one in chosen)


def add_environment(
    app: App, settings: Settings, compiled: Sequence[Compiled], *, code: WholeCode, known: Sequence[str] = ()
) -> None:
    """Add the stacks of an environment: its platform, and one for each DAG of ``compiled``.

    ``known``: ids of all DAGs, also of those that are not compiled this time.

    Raises ``DagError`` for jobs that no instance of the environment can hold.
    """
    too_large = [problem for one in compiled for problem in fitting_problems(one, settings)]
    if too_large:
        raise DagError(too_large)
    if settings.permission_boundary:
        app.node.set_context(BOUNDARY_KEY, {"name": settings.permission_boundary})
    # Not a `Stage`: its stacks would be `dev/churn`, too, but `--all` would not mean them.
    scope = Construct(app, settings.env)
    arns = arns_of(settings)
    ids = sorted({*known, *(one.graph.dag.id for one in compiled)})
    PlatformStack(scope, PLATFORM, settings=settings, arns=arns, code=code, dags=ids)
    for one in compiled:
        stack = DagStack(scope, one.graph.dag.id, compiled=one, settings=settings, arns=arns, code=code)
        _tell_of_others(stack, one, compiled)
    tag(scope, settings)


def _tell_of_others(stack: DagStack, one: Compiled, compiled: Sequence[Compiled]) -> None:
    """Warn of DAGs that a DAG runs, and that are not deployed with it."""
    here = {each.graph.dag.id for each in compiled}
    others = [inner for inner in inner_dags(one.graph) if inner not in here]
    if others:
        Annotations.of(stack).add_warning_v2(
            "stepweave:inner-dags",
            f"{one.graph.dag.id} runs {', '.join(others)}, which `-c dags` leaves out: as long as that is not "
            f"deployed, runs of {one.graph.dag.id} fail",
        )


def arns_of(settings: Settings) -> Arns:
    """Addresses in the environment; account and region are those of the deployment where the settings are silent."""
    return Arns(
        env=settings.env,
        partition=Aws.PARTITION,
        account=settings.account or Aws.ACCOUNT_ID,
        region=settings.region or Aws.REGION,
    )


if __name__ == "__main__":
    sys.exit(main())

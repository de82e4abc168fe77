"""Stacks of DAGs in tests: synthesized, read as JSON, and their values as text."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import Environment, Stage

from infra.app import arns_of, new_app
from infra.dags.stack import DagStack
from infra.settings import parse
from stepweave.compiler import Compiled
from stepweave.deployed import names
from tests.infra.dags.empty_code import EmptyCode
from tests.infra.dags.flows import ROOT
from tests.infra.templates import Template

WATCHED = {
    "account": "123456789012",
    "region": "eu-west-1",
    "tracing": True,
    "alarms": {"per_dag": True},
    "dashboards": {"per_dag": True},
    "metrics": {"per_task": True},
    "deploy": {"shift": "canary", "percent": 20, "minutes": 5},
}
LOCAL = {"target": "local", "account": "000000000000", "region": "us-east-1", "removal_policy": "destroy"}
REPOSITORY = (
    "digits",
    "compensation",
    "sign_off",
    "city_features",
    "release",
    "composition",
    "forecast_de",
    "churn",
)


@dataclass(frozen=True)
class Stacks:
    """Stacks by DAG, and the code that they were given."""

    by_dag: Mapping[str, Template]
    folder: Path

    def __getitem__(self, dag: str) -> Template:
        return self.by_dag[dag]


def synthesized(folder: Path, env: str, settings: dict[str, Any], flows: list[Compiled]) -> Stacks:
    """The stacks of ``flows`` in an environment."""
    parsed = parse(env, settings, f"{env}.toml")
    app = new_app(outdir=str(folder / "cdk.out"))
    stage = Stage(app, env, env=Environment(account=parsed.account, region=parsed.region))
    code = EmptyCode(folder)
    with contextlib.chdir(ROOT):  # a DAG's source is named from here
        for flow in flows:
            DagStack(
                stage, flow.graph.dag.id, compiled=flow, settings=parsed, arns=arns_of(parsed), code=code
            )
    assembly = app.synth()
    found = {}
    for flow in flows:
        artifact = assembly.get_nested_assembly(f"assembly-{env}").get_stack_by_name(
            names.stack_name(env, flow.graph.dag.id)
        )
        found[flow.graph.dag.id] = Template.read(Path(artifact.template_full_path))
    return Stacks(found, folder)


def text(value: Any) -> str:
    """A value of a template with what is known of its functions filled in."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(text, parts))
        case {"Fn::Sub": pattern}:
            return str(pattern)
    raise AssertionError(f"no text: {value!r}")


def arn(value: Any) -> str:
    """An ARN of a template."""
    return text(value).replace("<AWS::Partition>", "aws")

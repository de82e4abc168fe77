"""How long does synthesis take, how large are the stacks, and how many DAGs fit into one account and region?

    python -m tests.benchmarks.synth [--json] [--repeat 3] [--env dev]

Synthesizes the whole repository as ``cdk deploy`` does, in a process of its own each time; the first one, which may
install distributions for the code bundles, is left out of ``seconds``. ``fits`` divides what an account has by default,
less what the platform takes, by what a DAG of the repository takes on average; most of it can be raised.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.reporting import parser, rounded, show, spread

ROOT = Path(__file__).parents[2]
MOST_RESOURCES = 500
MOST_TEMPLATE_BYTES = 1_000_000
"""Of a stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What an account may have of a type of resource, in a region."""

    kind: str
    most: int
    page: str


QUOTAS = (
    Quota(
        kind="AWS::IAM::Role",
        most=1_000,
        page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
    ),
    Quota(
        kind="AWS::Events::Rule",
        most=300,
        page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
    ),
    Quota(
        kind="AWS::CloudWatch::Alarm",
        most=5_000,
        page="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html",
    ),
    Quota(
        kind="AWS::SSM::Parameter",
        most=10_000,
        page="https://docs.aws.amazon.com/general/latest/gr/ssm.html",
    ),
)
MOST_STACKS = 2_000
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
MOST_CODE_BYTES = 75 * 2**30
"""Zips of all versions of all functions: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def measure(repeat: int, env: str) -> dict[str, Any]:
    """The figures of an environment."""
    with tempfile.TemporaryDirectory() as folder:
        _synthesize(Path(folder), env)
        walls, cpus = zip(*(_synthesize(Path(folder), env) for _ in range(repeat)), strict=True)
        figures = of_assembly(Path(folder))
    return {
        "benchmark": "synth",
        "env": env,
        "seconds": spread(walls),
        "cpu_seconds": spread(cpus),
        **figures,
    }


def of_assembly(folder: Path) -> dict[str, Any]:
    """Sizes of the stacks in an assembly, and how many DAGs fit."""
    stacks = {}
    for file in sorted(folder.glob("*.template.json")):
        content = file.read_bytes()
        code = _code_bytes(file.with_name(file.name.replace(".template.", ".assets.")))
        stacks[file.name.partition(".")[0]] = _figures(json.loads(content), len(content), code)
    dags = {name: each for name, each in stacks.items() if "platform" not in name}
    shown = {
        name: {key: value for key, value in each.items() if key != "types"} for name, each in stacks.items()
    }
    return {
        "dags": len(dags),
        "most_resources": max(each["resources"] for each in stacks.values()),
        "most_template_bytes": max(each["template_bytes"] for each in stacks.values()),
        "limits": {"resources": MOST_RESOURCES, "template_bytes": MOST_TEMPLATE_BYTES},
        "fits": fits(stacks, list(dags.values())),
        "stacks": shown,
    }


def fits(stacks: Mapping[str, Any], dags: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """DAGs that fit, by what runs out; ``dags`` is the least of them."""
    shared = [each for name, each in stacks.items() if "platform" in name]

    def room(most: int, count: Any) -> int | None:
        average = sum(count(each) for each in dags) / len(dags)
        return int((most - sum(count(each) for each in shared)) / average) if average else None

    found = {
        quota.kind: room(quota.most, lambda each, kind=quota.kind: each["types"][kind]) for quota in QUOTAS
    }
    found["stacks"] = MOST_STACKS - len(shared)
    found["code of one deployment"] = room(MOST_CODE_BYTES, lambda each: each["code_bytes"])
    known = {what: number for what, number in found.items() if number is not None}
    return {"dags": min(known.values()), **known}


def _figures(template: Mapping[str, Any], size: int, code: int) -> dict[str, Any]:
    types = Counter(resource["Type"] for resource in template["Resources"].values())
    return {"resources": types.total(), "template_bytes": size, "code_bytes": code, "types": types}


def _code_bytes(manifest: Path) -> int:
    """Bytes of the zips that a stack uploads."""
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"].values()
    paths = (Path(manifest.parent, each["source"]["path"]) for each in files)
    return sum(path.stat().st_size for path in paths if path.suffix == ".zip")


def _synthesize(folder: Path, env: str) -> tuple[float, float]:
    """Seconds by the clock and of the processor that one synthesis took."""
    # The variable by which the CDK command line hands over its options.
    context = json.dumps({"env": env})
    before, start = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": context},
        check=True,
        capture_output=True,
    )
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return rounded(time.perf_counter() - start), rounded(cpu)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    options = parser(__doc__ or "", repeat=3)
    options.add_argument("--env", default="dev", help="environment whose settings are taken (dev)")
    given = options.parse_args(arguments)
    show(measure(given.repeat, given.env), one_line=given.json)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Figures of an assembly are those of its templates and of what it uploads."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.synth import MOST_STACKS, of_assembly


def stack(folder: Path, name: str, *kinds: str, zips: int = 0) -> None:
    resources = {f"R{number}": {"Type": f"AWS::{kind}"} for number, kind in enumerate(kinds)}
    (folder / f"{name}.template.json").write_text(json.dumps({"Resources": resources}))
    (folder / f"{name}.zip").write_bytes(b"x" * zips)
    files = {"a": {"source": {"path": f"{name}.zip"}}, "b": {"source": {"path": f"{name}.template.json"}}}
    (folder / f"{name}.assets.json").write_text(json.dumps({"files": files}))


def test_sizes_are_those_of_the_templates(tmp_path: Path) -> None:
    stack(tmp_path, "devplatform", "IAM::Role", "S3::Bucket", zips=10)
    stack(tmp_path, "devchain", "IAM::Role", "IAM::Role", "SSM::Parameter", zips=30)
    found = of_assembly(tmp_path)
    assert found["dags"] == 1
    assert found["most_resources"] == 3
    assert found["stacks"]["devchain"]["code_bytes"] == 30
    assert found["most_template_bytes"] == (tmp_path / "devchain.template.json").stat().st_size


def test_what_runs_out_first_says_how_many_dags_fit(tmp_path: Path) -> None:
    stack(tmp_path, "devplatform", *["IAM::Role"] * 10)
    stack(tmp_path, "devone", "IAM::Role", "Events::Rule")
    stack(tmp_path, "devtwo", *["IAM::Role"] * 5)
    found = of_assembly(tmp_path)["fits"]
    assert found["AWS::IAM::Role"] == (1_000 - 10) // 3
    assert found["AWS::Events::Rule"] == 600
    assert found["stacks"] == MOST_STACKS - 1
    assert "AWS::CloudWatch::Alarm" not in found
    assert found["dags"] == found["AWS::IAM::Role"]

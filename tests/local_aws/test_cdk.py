"""The CDK command line against the local AWS: how it is called, and what a failure says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from stepweave.errors import UsageError
from stepweave.local_aws.cdk import Cdk, of
from stepweave.local_aws.home import Running

RECORDER = """
const fs = require("fs");
const told = {argv: process.argv.slice(2), cwd: process.cwd(), env: process.env};
fs.writeFileSync(process.env.HOME + "/called.json", JSON.stringify(told));
console.log("it went well");
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose CDK writes down how it was called."""
    monkeypatch.setenv("HOME", str(tmp_path))
    script = tmp_path / "repository" / "infra" / "node_modules" / "aws-cdk" / "bin" / "cdk"
    script.parent.mkdir(parents=True)
    script.write_text(RECORDER, encoding="utf-8")
    return tmp_path / "repository"


def called(repository: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((repository.parent / "called.json").read_text(encoding="utf-8"))
    return found


def cdk(repository: Path) -> Cdk:
    return of(Running(pid=1, port=4570, clock_speed=1.0), repository)


def test_a_deployment_names_environment_dags_and_this_python(repository: Path) -> None:
    printed = cdk(repository).deploy("local/churn", dags=["churn", "digits"], context={"x": "1"})
    arguments = called(repository)["argv"]
    assert arguments[:2] == ["deploy", "local/churn"]
    pairs = [arguments[at + 1] for at, word in enumerate(arguments) if word == "-c"]
    assert pairs == ["env=local", "dags=churn,digits", "x=1"]
    assert arguments[arguments.index("--app") + 1] == f"{sys.executable} -m infra.app"
    assert called(repository)["cwd"] == str(repository)
    assert "it went well" in printed


def test_without_a_name_every_stack_is_meant(repository: Path) -> None:
    cdk(repository).destroy()
    assert called(repository)["argv"][:3] == ["destroy", "--all", "--force"]


def test_it_speaks_to_the_local_aws_whatever_the_environment_says(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    cdk(repository).deploy()
    environment = called(repository)["env"]
    assert {
        name: environment.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID")
    } == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4570",
        "AWS_PROFILE": None,
        "AWS_ACCESS_KEY_ID": "000000000000",
    }


def test_bootstrapping_synthesizes_no_app(repository: Path) -> None:
    cdk(repository).bootstrap()
    told = called(repository)
    assert told["argv"] == ["bootstrap", "aws://000000000000/us-east-1", "--no-notices"]
    assert told["cwd"] == str(repository / "infra")


def test_a_failure_shows_what_the_cdk_said(repository: Path) -> None:
    script = repository / "infra" / "node_modules" / "aws-cdk" / "bin" / "cdk"
    script.write_text('console.error("no such stack"); process.exit(1)', encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"`cdk deploy` against http://127.0.0.1:4570 failed(?s:.*)no such stack"
    ):
        cdk(repository).deploy()

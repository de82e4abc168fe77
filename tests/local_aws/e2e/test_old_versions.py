"""Versions that nothing needs any more go, and runs go on."""

from __future__ import annotations

import json
import re
import time

import pytest

from functions.recorder.deployed_dags import DeployedDags
from functions.recorder.old_versions import OldVersions
from tests.local_aws.e2e.deployed import ENV, Deployed

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.timeout(600)]

RECORDER = f"stepweave-{ENV}-recorder"
FUNCTION = f"stepweave-{ENV}-patient--tasks"


def versions(deployed: Deployed) -> set[int]:
    listed = deployed.aws("lambda").list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    return {int(one["Version"]) for one in listed if one["Version"] != "$LATEST"}


def publish(deployed: Deployed, number: int) -> int:
    """The number of a further version of the function."""
    functions = deployed.aws("lambda")
    functions.update_function_configuration(FunctionName=FUNCTION, Description=f"another one, {number}")
    return int(functions.publish_version(FunctionName=FUNCTION)["Version"])


def called(deployed: Deployed) -> set[int]:
    """The versions that the definition calls which runs start on."""
    states, alias = deployed.aws("stepfunctions"), deployed.environment.dag("patient").machine
    (route,) = states.describe_state_machine_alias(stateMachineAliasArn=alias)["routingConfiguration"]
    definition = states.describe_state_machine(stateMachineArn=route["stateMachineVersionArn"])["definition"]
    found = {int(number) for number in re.findall(rf":{FUNCTION}:(\d+)", definition)}
    assert found
    return found


def test_the_recorder_deletes_nothing_that_was_replaced_lately(deployed: Deployed) -> None:
    before = versions(deployed) | {publish(deployed, number) for number in range(4)}
    answer = deployed.aws("lambda").invoke(
        FunctionName=RECORDER, Qualifier="live", Payload=b'{"reconcile": true}'
    )
    told = json.loads(answer["Payload"].read())
    assert (answer.get("FunctionError"), told.get("versions")) == (None, 0), told
    assert versions(deployed) == before


def test_what_was_replaced_long_ago_goes_but_not_what_runs_start_on(deployed: Deployed) -> None:
    newest = [publish(deployed, number) for number in range(10, 14)][-3:]
    for hour in range(10):  # the turn of every function, wherever its name stands
        later = time.time() + 200 * 86_400 + hour * 3_600
        OldVersions(
            ENV,
            deployed.aws("lambda"),
            deployed.aws("stepfunctions"),
            DeployedDags(deployed.aws("ssm"), ENV),
            days=90,
            has_time=lambda: True,
            now=lambda later=later: later,
        ).delete()
    assert versions(deployed) == called(deployed) | {*newest}
    run_id = deployed.started("patient", "--param", "seconds=0")
    assert deployed.ended("patient", run_id).status == "success"

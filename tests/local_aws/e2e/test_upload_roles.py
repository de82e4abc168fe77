"""What the roles of a deployed DAG's state machine allow is what it needs, and no less would do."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.local_aws.e2e.deployed import Deployed

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.timeout(600)]

DAG = "churn"


def role_of(deployed: Deployed) -> str:
    """Name of the role of the DAG's machine."""
    machine = deployed.environment.dag(DAG).machine
    described = deployed.aws("stepfunctions").describe_state_machine(stateMachineArn=machine)
    return str(described["roleArn"].rpartition("/")[2])


@contextmanager
def without(deployed: Deployed, action: str) -> Iterator[int]:
    """How many statements lack the action of the machine's role meanwhile."""
    iam, role = deployed.aws("iam"), role_of(deployed)
    before: dict[str, Any] = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    changed = 0
    for name, document in copy.deepcopy(before).items():
        for statement in document["Statement"]:
            given = statement["Action"]
            actions = [given] if isinstance(given, str) else list(given)
            changed += action in actions
            statement["Action"] = [one for one in actions if one != action] or ["none:None"]
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    try:
        yield changed
    finally:
        for name, document in before.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


@pytest.mark.parametrize("action", ["batch:SubmitJob", "batch:TerminateJob"])
def test_a_run_fails_without_an_action_of_its_role(deployed: Deployed, action: str) -> None:
    with without(deployed, action) as changed:
        run = deployed.ended(DAG, deployed.started(DAG))

    assert changed >= 1
    assert run.status == "failed"


def test_a_run_succeeds_with_the_role_as_it_was_compiled(deployed: Deployed) -> None:
    assert deployed.ended(DAG, deployed.started(DAG)).status == "success"

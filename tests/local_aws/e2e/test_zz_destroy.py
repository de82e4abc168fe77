"""What was deployed can be taken away again; last, since the others use it."""

from __future__ import annotations

import pytest

from tests.local_aws.e2e.deployed import Deployed

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.timeout(600)]


def test_destroying_takes_everything_away(deployed: Deployed) -> None:
    deployed.cdk.destroy()
    listed = deployed.aws("cloudformation").list_stacks(
        StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    )
    left = [one["StackName"] for one in listed["StackSummaries"] if one["StackName"].startswith("stepweave-")]
    assert left == []
    machines = deployed.aws("stepfunctions").list_state_machines()["stateMachines"]
    assert [one["name"] for one in machines if one["name"].startswith("stepweave-local-")] == []
    functions = deployed.aws("lambda").list_functions()["Functions"]
    assert [
        one["FunctionName"] for one in functions if one["FunctionName"].startswith("stepweave-local-")
    ] == []

"""Functions and jobs are known by what they are for, whatever version of them was called."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.deployed.engine_calls import as_engine_calls

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function"


@pytest.mark.parametrize(
    "name, known",
    [
        (f"{FUNCTION}:stepweave-dev-sales--task-runner:7", "TaskRunner"),
        (f"{FUNCTION}:stepweave-dev-sales--task-runner2048:7", "TaskRunner"),
        (f"{FUNCTION}:stepweave-dev-rendezvous:live", "Rendezvous"),
        (f"{FUNCTION}:stepweave-dev-approvals:live", "Approvals"),
        (f"{FUNCTION}:stepweave-prod-approvals:live", "TaskRunner"),
    ],
)
def test_a_function_is_known_by_its_name(name: str, known: str) -> None:
    call = as_engine_calls("lambda:invoke", {"FunctionName": name, "Payload": {"task": "a"}}, "dev")
    assert call == {"FunctionName": known, "Payload": {"task": "a"}}


@pytest.mark.parametrize(
    "key, task",
    [("runs/sales/r1/train/input.json", "train"), ("runs/sales/r1/train/3/0/input.json", "train"), ("x", "")],
)
def test_a_job_is_known_by_the_key_of_its_input(key: str, task: str) -> None:
    environment = [{"Name": "OTHER", "Value": "a/b/c/d"}, {"Name": "STEPWEAVE_INPUT", "Value": key}]
    arguments: dict[str, Any] = {
        "JobDefinition": "arn:aws:batch:eu-central-1:1:job-definition/stepweave-dev-sales--train:3",
        "ContainerOverrides": {"Environment": environment},
    }
    assert as_engine_calls("batch:submitJob.sync", arguments, "dev")["JobDefinition"] == task


def test_other_calls_stay_as_they_are() -> None:
    assert as_engine_calls("sns:publish", {"Message": "m"}, "dev") == {"Message": "m"}
    assert as_engine_calls("lambda:invoke", "text", "dev") == "text"

"""What a job runs: the definition, and what SubmitJob says otherwise."""

from __future__ import annotations

from typing import Any

from stepweave.local_aws.layer.batch.requests import (
    camel,
    container_of,
    parameters_of,
    resource,
    variables_of,
)

DEFINITION: dict[str, Any] = {
    "parameters": {"epochs": "3", "seed": "1"},
    "containerProperties": {
        "command": ["python", "train.py", "Ref::epochs", "Ref::unknown"],
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "resourceRequirements": [{"type": "MEMORY", "value": "2048"}, {"type": "VCPU", "value": "0.5"}],
    },
}


def test_placeholders_of_the_command_are_parameters_and_others_stay() -> None:
    assert container_of(DEFINITION, {"parameters": {"epochs": "9"}})["command"] == [
        "python",
        "train.py",
        "9",
        "Ref::unknown",
    ]


def test_parameters_of_the_request_come_before_those_of_the_definition() -> None:
    assert parameters_of(DEFINITION, {"parameters": {"epochs": "9"}}) == {"epochs": "9", "seed": "1"}


def test_variables_are_overridden_by_name_and_added_to() -> None:
    overrides = {"environment": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]}
    container = container_of(DEFINITION, {"containerOverrides": overrides})
    assert variables_of(container) == {"A": "1", "B": "3", "C": "4"}


def test_resources_are_overridden_by_type() -> None:
    overrides = {"resourceRequirements": [{"type": "MEMORY", "value": "4096"}], "command": ["ls"]}
    container = container_of(DEFINITION, {"containerOverrides": overrides})
    assert [resource(container, kind) for kind in ("MEMORY", "VCPU", "GPU")] == [4096, 0, None]
    assert container["command"] == ["ls"]


def test_the_definition_stays_as_it_is() -> None:
    container_of(DEFINITION, {"containerOverrides": {"environment": [{"name": "A", "value": "x"}]}})
    assert DEFINITION["containerProperties"]["environment"][0] == {"name": "A", "value": "1"}


def test_a_property_of_a_template_is_named_as_in_the_api_except_names_that_users_choose() -> None:
    given = {
        "RetryStrategy": {"EvaluateOnExit": [{"OnExitCode": "1"}]},
        "Parameters": {"Epochs": "3"},
        "LogConfiguration": {"Options": {"awslogs-group": "/g", "Other": "x"}},
    }
    assert camel(given) == {
        "retryStrategy": {"evaluateOnExit": [{"onExitCode": "1"}]},
        "parameters": {"Epochs": "3"},
        "logConfiguration": {"options": {"awslogs-group": "/g", "Other": "x"}},
    }

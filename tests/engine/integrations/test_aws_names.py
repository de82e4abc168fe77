"""Names of services, members and errors, beside those of a compiler whose rules were measured on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
import sfnx.integrations

from stepweave.engine.integrations.aws_names import (
    BOTOCORE_NAMES,
    optimized_member,
    sdk_error,
    sdk_member,
    sdk_service,
)
from stepweave.engine.integrations.aws_world import service_model, services

SERVICES = (
    "batch", "cloudformation", "dynamodb", "ecs", "elb", "events", "glue", "iot", "lambda", "rds", "s3", "sns", "sqs",
    "stepfunctions",
)  # fmt: skip


def members(model: Any) -> Iterator[tuple[str, str]]:
    """Every member of every structure of a service, with the name of the structure."""
    for name in model.shape_names:
        shape = model.shape_for(name)
        if shape.type_name == "structure":
            yield from ((name, member) for member in shape.members)


@pytest.mark.parametrize("service", SERVICES)
def test_members_and_errors_are_named_as_measured(service: str) -> None:
    model = service_model(service)
    assert model is not None
    for shape, member in members(model):
        assert optimized_member(shape, member) == sfnx.integrations.pascal(member)
        if (shape, member) != ("AttributeValue", "NULL"):
            assert sdk_member(shape, member) == sfnx.integrations.sdk_member(member)
    prefix = sdk_service(model.service_id)
    assert prefix == sfnx.integrations.java_service_name(model.service_id)
    renamed = sfnx.integrations.JAVA_RENAMED_ERRORS.get(service, {})
    for error in model.error_shapes:
        expected = sfnx.integrations.java_exception_name(error.name, prefix)
        if error.name not in renamed:
            assert sdk_error(error.name, prefix) == f"{prefix}.{expected}"


def test_services_that_are_not_botocores_without_hyphens_are_known() -> None:
    available = set(botocore.session.Session().get_available_services())
    assert set(BOTOCORE_NAMES.values()) <= available
    assert set(BOTOCORE_NAMES) & {name.replace("-", "") for name in available} == set()
    for java, name in sfnx.integrations.SERVICES.items():
        if java != "states":
            assert BOTOCORE_NAMES[java] == name


@pytest.mark.parametrize(
    "name, found",
    [
        ("sfn", "stepfunctions"),
        ("cloudwatchlogs", "logs"),
        ("eventbridge", "events"),
        ("cognitoidentity", "cognito-identity"),
        ("secretsmanager", "secretsmanager"),
        ("nothing", None),
    ],
)
def test_a_service_is_found_by_the_name_in_a_resource(name: str, found: str | None) -> None:
    model = service_model(name)
    assert (model.service_name if model else None) == found


def test_services_are_listed_as_resources_name_them() -> None:
    assert {"sfn", "eventbridge", "cloudwatchlogs", "cognitoidentity", "dynamodb"} <= set(services())
    assert not {"stepfunctions", "events", "logs", "cognito-identity"} & set(services())

"""What user code calls on AWS is declared by name; a wildcard is refused, or explained."""

from __future__ import annotations

import json

import pytest

from stepweave.permissions import Permission


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:s3:::lake/raw/*",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/customers",
        "arn:aws:dynamodb:*:123456789012:table/customers/index/*",
        "arn:aws-cn:sns:cn-north-1:123456789012:alerts",
    ],
)
def test_a_resource_is_an_arn_whose_name_may_end_open(resource: str) -> None:
    assert json.loads(Permission("s3:GetObject", resource).as_text())["resources"] == [resource]


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:s3:::*", "arn:aws:s3:::*/*", "s3://lake", "lake", "arn:aws:s3"]
)
def test_all_resources_and_what_is_no_arn_are_refused(resource: str) -> None:
    with pytest.raises(ValueError, match="resources"):
        Permission("s3:GetObject", resource).as_text()


@pytest.mark.parametrize(
    "action", ["*", "s3:*", "s3:Get*", "s3:GetObjec?", "GetObject", "s3", "S3:GetObject"]
)
def test_actions_are_written_out(action: str) -> None:
    with pytest.raises(ValueError, match="action"):
        Permission(action, "arn:aws:s3:::lake/raw/*").as_text()


@pytest.mark.parametrize("nothing", [[], "", 3, [3], None])
def test_a_permission_for_nothing_is_refused(nothing: object) -> None:
    with pytest.raises(ValueError, match=r"actions|resources"):
        Permission("s3:GetObject", nothing).as_text()  # type: ignore[arg-type]


def test_an_action_that_knows_no_resources_is_allowed_for_a_reason_that_travels_with_it() -> None:
    text = Permission("cloudwatch:PutMetricData", "*", reason="metrics have no ARN").as_text()
    assert json.loads(text) == {
        "actions": ["cloudwatch:PutMetricData"],
        "resources": ["*"],
        "reason": "metrics have no ARN",
    }


def test_the_order_in_which_it_is_written_makes_no_difference() -> None:
    one = Permission(["s3:PutObject", "s3:GetObject"], ["arn:aws:s3:::b/x", "arn:aws:s3:::a/x"])
    other = Permission(("s3:GetObject", "s3:PutObject"), ("arn:aws:s3:::a/x", "arn:aws:s3:::b/x"))
    assert one.as_text() == other.as_text()

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.arns import Arns
from infra.platform.permissions import approvals_needs, recorder_needs, rendezvous_needs
from stepweave.deployed.environment import Platform
from tests.infra.conftest import Synthesized

ARNS = Arns(env="dev", region="eu-west-1", account="123456789012")


def function(app: Synthesized, part: str) -> dict[str, Any]:
    name = f"stepweave-{app.settings.env}-{part}"
    return app.platform.named("Lambda::Function", "FunctionName", name)  # type: ignore[no-any-return]


def variables(app: Synthesized, part: str) -> dict[str, Any]:
    return function(app, part)["Environment"]["Variables"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("part", ["rendezvous", "approvals", "recorder"])
def test_each_function_runs_its_handler_as_the_settings_say(whole_app: Synthesized, part: str) -> None:
    found = function(whole_app, part)
    assert found["Handler"] == f"functions.{part}.handler.handler"
    assert found["Runtime"] == "python3.13"
    assert found["Architectures"] == ["arm64"]
    assert found["TracingConfig"] == {"Mode": "Active"}
    assert found["LoggingConfig"]["LogGroup"] == f"/stepweave/prod/{part}"


@pytest.mark.parametrize("part", ["rendezvous", "approvals", "recorder"])
def test_each_function_knows_store_table_and_environment(whole_app: Synthesized, part: str) -> None:
    known = variables(whole_app, part)
    assert known["STEPWEAVE_ENV"] == "prod"
    assert known["STEPWEAVE_TABLE"] == "stepweave-prod"
    assert known["STEPWEAVE_STORE"]["Fn::Join"][1][0] == "s3://stepweave-prod-"
    assert known["POWERTOOLS_SERVICE_NAME"] == part


def test_each_function_is_called_by_an_alias_of_a_version_that_stays(whole_app: Synthesized) -> None:
    platform = whole_app.platform
    assert {one["Name"] for one in platform.of_type("Lambda::Alias").values()} == {"live"}
    assert len(platform.of_type("Lambda::Alias")) == len(platform.of_type("Lambda::Function"))
    versions = [one for one in platform.resources.values() if one["Type"] == "AWS::Lambda::Version"]
    assert all(one["DeletionPolicy"].startswith("Retain") for one in versions)
    assert len(versions) == 3


def test_roles_allow_no_more_than_the_needs_of_their_function(whole_app: Synthesized) -> None:
    platform = whole_app.platform
    for part, needs in (
        ("rendezvous", [*rendezvous_needs(ARNS)]),
        ("approvals", [*approvals_needs(ARNS, link_secret="secret")]),
        ("recorder", [*recorder_needs(ARNS)]),
    ):
        role = platform.of_type("IAM::Role")[function(whole_app, part)["Role"]["Fn::GetAtt"][0]]
        (policy,) = role["Policies"]
        actions = {action for one in policy["PolicyDocument"]["Statement"] for action in one["Action"]}
        common = {
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
        }
        extra = {"sqs:SendMessage"} if part == "recorder" else set()
        key = {"kms:Decrypt", "kms:GenerateDataKey"} if part != "rendezvous" else set()
        assert actions == {need.action for need in needs} | common | extra | key, part


def test_each_function_reaches_only_its_items_of_the_table() -> None:
    def keys(needs: Any) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for need in needs:
            if need.action.startswith("dynamodb:"):
                ((operator, ((key, values),)),) = need.condition
                assert (operator, key) == ("ForAllValues:StringLike", "dynamodb:LeadingKeys")
                found.setdefault(need.action, set()).update(values)
        return found

    assert keys(rendezvous_needs(ARNS)) == {"dynamodb:UpdateItem": {"GATE#*"}}
    assert keys(approvals_needs(ARNS, link_secret="")) == {"dynamodb:GetItem": {"DAG#*"}}
    assert keys(approvals_needs(ARNS, link_secret="s"))["dynamodb:UpdateItem"] == {"LINK#*"}
    assert {key for found in keys(recorder_needs(ARNS)).values() for key in found} == {"DAG#*"}


def test_no_function_writes_what_another_one_keeps() -> None:
    written = {
        part: {need.resource for need in needs if need.action in ("s3:PutObject", "s3:DeleteObject")}
        for part, needs in (
            ("recorder", [*recorder_needs(ARNS)]),
            ("approvals", [*approvals_needs(ARNS, link_secret="")]),
            ("rendezvous", [*rendezvous_needs(ARNS)]),
        )
    }
    bucket = "arn:aws:s3:::stepweave-dev-123456789012-eu-west-1"
    assert written["rendezvous"] == set()
    assert written["recorder"] == {f"{bucket}/status/*"}
    assert all(one.startswith(f"{bucket}/runs/*/") for one in written["approvals"])


def test_events_that_could_not_be_handled_are_kept(whole_app: Synthesized) -> None:
    config = whole_app.platform.only("Lambda::EventInvokeConfig")
    assert config["Qualifier"] == "live"
    (queue,) = whole_app.platform.of_type("SQS::Queue")
    # A reference: the queue is there before it is named.
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert config["MaximumRetryAttempts"] == 2


def test_links_are_shown_by_get_and_decided_by_post(whole_app: Synthesized) -> None:
    routes = whole_app.platform.of_type("ApiGatewayV2::Route").values()
    assert {one["RouteKey"] for one in routes} == {"GET /approvals/{link}", "POST /approvals/{link}"}
    stage = whole_app.platform.only("ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 20, "ThrottlingRateLimit": 10}


def test_the_log_of_the_api_never_holds_a_link(whole_app: Synthesized) -> None:
    logged = whole_app.platform.only("ApiGatewayV2::Stage")["AccessLogSettings"]["Format"]
    assert "$context.status" in json.loads(logged).values()
    assert "path" not in logged
    assert "authorizer" not in logged


def test_the_approvals_function_knows_its_address_and_the_secret(whole_app: Synthesized) -> None:
    known = variables(whole_app, "approvals")
    assert known["STEPWEAVE_APPROVALS_URL"]["Fn::GetAtt"][1] == "ApiEndpoint"
    secret = whole_app.platform.only("SecretsManager::Secret")
    assert secret["Name"] == "stepweave/prod/links"
    assert secret["GenerateSecretString"]["PasswordLength"] == 64
    assert list(known["STEPWEAVE_LINK_SECRET"]) == ["Ref"]


def test_without_links_there_is_neither_api_nor_secret(told_platform: Synthesized) -> None:
    platform = told_platform.platform
    assert platform.of_type("ApiGatewayV2::Api") == {}
    assert {one["Name"] for one in platform.of_type("SecretsManager::Secret").values()} == {
        "stepweave/told/notify"
    }
    assert "STEPWEAVE_APPROVALS_URL" not in variables(told_platform, "approvals")


def test_a_permission_boundary_bounds_every_role(told_platform: Synthesized, whole_app: Synthesized) -> None:
    roles = told_platform.platform.of_type("IAM::Role").values()
    assert len(roles) > 4
    for role in roles:
        assert "policy/boundary" in str(role["PermissionsBoundary"])
    assert not any("PermissionsBoundary" in one for one in whole_app.platform.of_type("IAM::Role").values())


def test_tags_of_the_settings_are_on_every_resource_that_takes_some(told_platform: Synthesized) -> None:
    for kind in ("S3::Bucket", "Lambda::Function", "SNS::Topic", "IAM::Role"):
        for one in told_platform.platform.of_type(kind).values():
            assert {"Key": "team", "Value": "ml"} in one["Tags"]


def test_the_platform_tells_where_its_parts_are(told_platform: Synthesized, whole_app: Synthesized) -> None:
    parameter = told_platform.platform.only("SSM::Parameter")
    assert parameter["Name"] == "/stepweave/told/platform"
    value = parameter["Value"]
    text = "".join(part if isinstance(part, str) else "aws" for part in value["Fn::Join"][1])
    told = Platform.from_json(text)
    assert told.store == "s3://stepweave-told-123456789012-eu-west-1"
    assert told.table == "stepweave-told"
    assert told.topics["page"] == "arn:aws:sns:eu-west-1:123456789012:stepweave-told-page"
    assert told.approvals_function.endswith("function:stepweave-told-approvals:live")
    assert told.approvals_url == ""
    assert "ApiEndpoint" in str(whole_app.platform.only("SSM::Parameter")["Value"])

"""What a template costs while nothing runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.errors import UsageError
from stepweave.pricing.idle import idle, templates_in


def template(*resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "Resources": {
            f"R{number}": {"Type": kind, "Properties": properties}
            for number, (kind, properties) in enumerate(resources)
        }
    }


def monthly(kind: str, properties: dict[str, Any] | None = None) -> float:
    return idle([template((kind, properties or {}))]).all.usd()


@pytest.mark.parametrize(
    "kind",
    ["AWS::Lambda::Function", "AWS::StepFunctions::StateMachine", "AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket",
     "AWS::Scheduler::Schedule", "AWS::SQS::Queue", "AWS::Batch::JobQueue", "AWS::EC2::Route"],
)  # fmt: skip
def test_what_is_billed_by_use_costs_nothing_while_idle(kind: str) -> None:
    found = idle([template((kind, {}))])
    assert (found.all.amounts, found.unknown, found.resources) == ({}, {}, 1)


def test_an_alarm_costs_for_each_metric_that_it_watches() -> None:
    assert monthly("AWS::CloudWatch::Alarm", {"MetricName": "Errors", "Period": 300}) == pytest.approx(0.1)
    metrics = [
        {"Id": "m1", "MetricStat": {}},
        {"Id": "m2", "MetricStat": {}},
        {"Id": "e", "Expression": "m1+m2"},
    ]
    assert monthly("AWS::CloudWatch::Alarm", {"Metrics": metrics}) == pytest.approx(0.2)
    assert monthly("AWS::CloudWatch::Alarm", {"MetricName": "Errors", "Period": 10}) == pytest.approx(0.3)


@pytest.mark.parametrize(
    "kind, usd",
    [
        ("AWS::CloudWatch::Dashboard", 3.0),
        ("AWS::CloudWatch::CompositeAlarm", 0.5),
        ("AWS::SecretsManager::Secret", 0.4),
        ("AWS::KMS::Key", 1.0),
    ],
)
def test_what_is_billed_by_the_month_counts(kind: str, usd: float) -> None:
    assert monthly(kind) == pytest.approx(usd)


def test_a_parameter_costs_once_it_is_longer_than_a_standard_one_may_be() -> None:
    assert monthly("AWS::SSM::Parameter", {"Value": "x" * 4_096}) == 0
    assert monthly("AWS::SSM::Parameter", {"Value": "x" * 4_097}) == pytest.approx(0.05)
    assert monthly("AWS::SSM::Parameter", {"Value": {"Fn::Join": ["", ["x" * 5_000]]}}) == pytest.approx(0.05)


def test_a_rule_of_the_clock_calls_the_recorder_which_emits_two_metrics() -> None:
    found = idle([template(("AWS::Events::Rule", {"ScheduleExpression": "rate(1 hour)"}))]).all
    assert found.amounts["lambda_request"] == pytest.approx(730)
    assert found.amounts["metric"] == 2
    assert found.usd() == pytest.approx(0.6, abs=0.05)
    daily = idle([template(("AWS::Events::Rule", {"ScheduleExpression": "rate(2 days)"}))]).all
    assert daily.amounts["lambda_request"] == pytest.approx(730 / 48)
    assert monthly("AWS::Events::Rule", {"EventPattern": {"source": ["aws.s3"]}}) == 0


def test_the_network_is_told_apart_and_so_are_instances() -> None:
    found = idle(
        [
            template(
                ("AWS::EC2::NatGateway", {}),
                ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}),
                ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}),
                ("AWS::Batch::ComputeEnvironment", {"ComputeResources": {"MinvCpus": 4}}),
                ("AWS::SecretsManager::Secret", {}),
            )
        ]
    )
    assert found.usage.usd() == pytest.approx(0.4)
    assert found.all.usd() == pytest.approx(0.4 + 730 * (0.045 + 0.005) + 730 * 2 * 0.01)
    assert found.instances == 4


def test_a_type_of_which_nothing_is_known_is_told_and_not_taken_as_free() -> None:
    found = idle([template(("AWS::MWAA::Environment", {}), ("AWS::MWAA::Environment", {}))])
    assert found.unknown == {"AWS::MWAA::Environment": 2}


def test_all_templates_of_a_folder_without_a_manifest_are_read(tmp_path: Path) -> None:
    stage = tmp_path / "assembly-dev"
    stage.mkdir()
    (stage / "devplatform.template.json").write_text(json.dumps(template(("AWS::KMS::Key", {}))))
    assert list(templates_in(tmp_path)) == ["devplatform.template.json"]
    assert idle(templates_in(stage / "devplatform.template.json").values()).all.usd() == 1.0


def stack(file: str) -> dict[str, Any]:
    return {"type": "aws:cloudformation:stack", "properties": {"templateFile": file}}


def test_templates_that_an_earlier_synthesis_left_are_not_counted(tmp_path: Path) -> None:
    nested = tmp_path / "assembly-prod"
    nested.mkdir()
    for folder, name in [(tmp_path, "dev"), (tmp_path, "old"), (nested, "prod"), (nested, "prodold")]:
        (folder / f"{name}.template.json").write_text(json.dumps(template(("AWS::KMS::Key", {}))))
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-prod"}}
    artifacts = {"dev": stack("dev.template.json"), "prod": stage, "Tree": {"type": "cdk:tree"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    (nested / "manifest.json").write_text(json.dumps({"artifacts": {"p": stack("prod.template.json")}}))
    assert set(templates_in(tmp_path)) == {"dev.template.json", "prod.template.json"}


def test_a_manifest_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match=r"manifest\.json' cannot be read.*cdk synth"):
        templates_in(tmp_path)


@pytest.mark.parametrize("text, words", [("{", "cannot be read"), ("[]", "is no CloudFormation template")])
def test_what_is_no_template_is_an_error_that_names_the_file(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.template.json").write_text(text)
    with pytest.raises(UsageError, match=words):
        templates_in(tmp_path)


def test_a_folder_without_templates_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cdk synth"):
        templates_in(tmp_path)

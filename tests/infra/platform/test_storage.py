from __future__ import annotations

from typing import Any

from tests.infra.conftest import Synthesized


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    return policy["PolicyDocument"]["Statement"]  # type: ignore[no-any-return]


def test_the_bucket_is_closed_versioned_and_encrypted(whole_app: Synthesized) -> None:
    bucket = whole_app.platform.only("S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_the_bucket_refuses_what_is_not_sent_by_tls(whole_app: Synthesized) -> None:
    (secure, version) = statements(whole_app.platform.only("S3::BucketPolicy"))
    assert (secure["Effect"], version["Effect"]) == ("Deny", "Deny")
    assert secure["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert version["Condition"] == {"NumericLessThan": {"s3:TlsVersion": 1.2}}
    assert secure["Action"] == version["Action"] == "s3:*"


def test_the_bucket_tells_eventbridge_of_uploads_without_a_function_of_cdk(whole_app: Synthesized) -> None:
    told = whole_app.platform.only("S3::Bucket")["NotificationConfiguration"]
    assert told == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_each_prefix_ends_when_the_settings_say(dev_platform: Synthesized) -> None:
    rules = {
        rule["Id"]: rule
        for rule in dev_platform.platform.only("S3::Bucket")["LifecycleConfiguration"]["Rules"]
    }
    kept = dev_platform.settings.retention
    assert {name: rule["ExpirationInDays"] for name, rule in rules.items() if "Prefix" in rule} == {
        "cache": kept.cache_days,
        "checkpoints": kept.checkpoints_days,
        "runs": kept.artifacts_days,
    }
    assert {rule["Prefix"] for rule in rules.values() if "Prefix" in rule} == {
        "cache/",
        "checkpoints/",
        "runs/",
    }
    assert rules["replaced"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": kept.noncurrent_days}


def test_artifacts_stay_for_ever_where_nothing_is_said(whole_app: Synthesized) -> None:
    rules = whole_app.platform.only("S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert whole_app.settings.retention.artifacts_days is None
    assert "runs" not in {rule["Id"] for rule in rules}


def test_the_table_has_the_keys_the_index_and_the_end_of_items_that_the_code_uses(
    whole_app: Synthesized,
) -> None:
    table = whole_app.platform.only("DynamoDB::Table")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by_day"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["day", "started"]
    assert index["Projection"] == {"ProjectionType": "ALL"}


def test_the_table_is_paid_by_request_and_can_be_restored(whole_app: Synthesized) -> None:
    table = whole_app.platform.only("DynamoDB::Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_production_keeps_bucket_and_table_when_the_stack_goes(
    whole_app: Synthesized, dev_platform: Synthesized
) -> None:
    for app, policy, protected in ((whole_app, "Retain", True), (dev_platform, "Delete", False)):
        kept = [
            one["DeletionPolicy"]
            for one in app.platform.resources.values()
            if one["Type"] in ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup")
        ]
        assert len(kept) > 5
        assert set(kept) == {policy}
        assert app.platform.only("DynamoDB::Table")["DeletionProtectionEnabled"] is protected


def test_what_keeps_data_keeps_its_logical_id(whole_app: Synthesized) -> None:
    # Another id means another bucket: CloudFormation would make a new one beside the old.
    stateful = {
        name
        for name, one in whole_app.platform.resources.items()
        if one["Type"].removeprefix("AWS::")
        in ("S3::Bucket", "DynamoDB::Table", "KMS::Key", "SQS::Queue", "SNS::Topic", "SecretsManager::Secret")
    }
    assert stateful == {
        "ArtifactsBucket88671897",
        "FunctionsLinkSecretB160E426",
        "MessagesAsk0DBE2B2A",
        "MessagesDeadLetters3B953EB8",
        "MessagesPage3E6C28B4",
        "MessagesTopicsKeyEC736DD8",
        "MessagesWarn14BAF529",
        "RecordsTableC9B7A30B",
    }


def test_names_follow_from_the_environment(whole_app: Synthesized) -> None:
    platform = whole_app.platform
    parts = platform.only("S3::Bucket")["BucketName"]["Fn::Join"][1]
    assert parts == ["stepweave-prod-", {"Ref": "AWS::AccountId"}, "-", {"Ref": "AWS::Region"}]
    assert platform.only("DynamoDB::Table")["TableName"] == "stepweave-prod"
    assert platform.only("SQS::Queue")["QueueName"] == "stepweave-prod-dead-letters"
    assert {one["TopicName"] for one in platform.of_type("SNS::Topic").values()} == {
        "stepweave-prod-warn",
        "stepweave-prod-page",
        "stepweave-prod-ask",
    }

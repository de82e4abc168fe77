import boto3
import pytest
from moto import mock_aws

from tests.functions.environment_fakes import TABLE, Atomic, StepFunctions, create_table


@pytest.fixture
def dynamodb(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb")
        create_table(client, TABLE)
        yield Atomic(client)
        client.close()


@pytest.fixture
def states():
    return StepFunctions()

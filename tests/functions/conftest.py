import pytest

from tests.functions.environment_fakes import StepFunctions, records_table


@pytest.fixture
def dynamodb(monkeypatch):
    with records_table(monkeypatch) as client:
        yield client


@pytest.fixture
def states():
    return StepFunctions()

import pytest

from tests.functions.environment_fakes import records_table


@pytest.fixture
def dynamodb(monkeypatch):
    with records_table(monkeypatch) as client:
        yield client

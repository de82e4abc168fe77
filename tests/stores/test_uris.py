"""Reading what lies at an address: objects by their exact key, files, and what is neither."""

from __future__ import annotations

import pytest

from stepweave.errors import DataError
from stepweave.stores.objects import open_store
from stepweave.stores.uris import read_uri
from tests.stores.aws_on_loopback import BUCKET, aws_on_loopback, point_to


@pytest.fixture(scope="module")
def server():
    with aws_on_loopback() as url:
        yield url


@pytest.fixture
def bucket(server, monkeypatch):
    point_to(server, monkeypatch)
    return f"s3://{BUCKET}"


@pytest.mark.parametrize("key", ["raw/rows.csv", "raw/May #1 100%25 ü?.csv"])
def test_an_object_is_read_by_the_key_that_an_event_names(bucket, key):
    open_store(bucket).put(key, b"id,amount")
    assert read_uri(f"{bucket}/{key}") == b"id,amount"


def test_a_missing_object_is_an_error_in_the_data_that_no_retry_mends(bucket):
    with pytest.raises(DataError, match=r"no object 'raw/none\.csv' in the bucket"):
        read_uri(f"{bucket}/raw/none.csv")


@pytest.mark.parametrize("key", ["raw/", "raw//rows.csv"])
def test_an_object_whose_key_is_no_path_is_an_error_in_the_data_that_no_retry_mends(key):
    with pytest.raises(DataError, match=r"is not canonical.*; read it with boto3, or give it another key"):
        read_uri(f"s3://bucket/{key}")


@pytest.mark.parametrize("uri", ["s3://", "s3://bucket", "s3://bucket/"])
def test_an_address_without_a_key_names_no_object(uri):
    with pytest.raises(DataError, match="names no object; expected s3://bucket/key"):
        read_uri(uri)


def test_a_path_and_a_file_address_read_files(tmp_path):
    path = tmp_path / "two words.csv"
    path.write_bytes(b"rows")
    assert read_uri(path) == b"rows"
    assert read_uri(str(path)) == b"rows"
    assert read_uri(path.as_uri()) == b"rows"


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_uri(tmp_path / "none.csv")


def test_other_schemes_are_refused():
    with pytest.raises(DataError, match="expected s3://bucket/key, file:///path or a path"):
        read_uri("https://example.org/rows.csv")

"""Region, credentials and endpoint, from where people keep them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepweave.deployed.connecting import connect
from stepweave.errors import UsageError

NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder without AWS configuration; what is set in the environment of the process is put back afterwards."""
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    for name in NAMES:
        os.environ.pop(name, None)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("STEPWEAVE_LOCAL_AWS", str(tmp_path / "local-aws"))
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def test_without_a_region_the_error_says_where_it_is_written(files: Path) -> None:
    with pytest.raises(UsageError, match=r"no AWS region is set.*infra/environments/prod\.toml"):
        connect("prod")


def test_the_region_of_a_profile_is_told_to_the_object_store(files: Path) -> None:
    (files / "config").write_text("[default]\nregion = eu-west-1\n")
    (files / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    assert connect("prod").region == "eu-west-1"
    assert os.environ["AWS_REGION"] == "eu-west-1"
    # Only boto3 reads credentials from files, so the store has to ask it.
    assert os.environ["AWS_PROFILE"] == "default"


def test_credentials_of_the_environment_need_no_profile(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    connect("prod")
    assert "AWS_PROFILE" not in os.environ


def test_a_profile_that_is_not_there_is_an_error_that_says_how_to_list_them(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    with pytest.raises(UsageError, match=r"\(nowhere\).*aws configure list-profiles"):
        connect("prod")


def test_the_local_aws_that_is_not_up_is_an_error_that_says_how_to_start_it(files: Path) -> None:
    with pytest.raises(UsageError, match="stepweave local-aws up"):
        connect("local")


def test_the_local_aws_is_spoken_to_with_no_credentials_of_a_real_account(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4999")
    monkeypatch.setenv("AWS_PROFILE", "production")
    aws = connect("local")
    client = aws.client("sqs")
    assert client.meta.endpoint_url == "http://127.0.0.1:4999"
    assert aws.session.get_credentials().access_key == "000000000000"
    assert aws.client("sqs") is client
    client.close()

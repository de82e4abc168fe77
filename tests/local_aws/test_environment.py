"""With these variables everything speaks to the local AWS, and to nothing else."""

from __future__ import annotations

import os
import subprocess

import boto3
import pytest

from stepweave.local_aws.environment import shell, variables
from stepweave.local_aws.home import Running
from stepweave.stores.objects import open_store


def test_a_shell_reads_the_lines_as_the_variables(tmp_path: object) -> None:
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "WITH_SPACE": "it's a value"}
    script = shell(given) + '\nprintf "%s\\n" "$AWS_ENDPOINT_URL" "$WITH_SPACE"'
    printed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == list(given.values())


@pytest.mark.aws
def test_boto3_and_the_object_store_need_nothing_else(
    local_aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(local_aws.endpoint).items():
        monkeypatch.setenv(name, value)
    boto3.Session().client("s3").create_bucket(Bucket="artifacts-of-a-test")
    store = open_store("s3://artifacts-of-a-test/prefix")
    store.put("runs/a.json", b"{}")
    assert not store.create("runs/a.json", b"other")
    found = boto3.Session().client("s3").list_objects_v2(Bucket="artifacts-of-a-test")["Contents"]
    assert [one["Key"] for one in found] == ["prefix/runs/a.json"]
    assert os.environ["AWS_REGION"] == "us-east-1"

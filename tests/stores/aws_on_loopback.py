"""AWS APIs on loopback (moto's server), and the environment that points clients to it."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
BUCKET = "stepweave-tests"


@contextmanager
def aws_on_loopback() -> Iterator[str]:
    """Address of the server, in which the bucket exists."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        with pytest.MonkeyPatch.context() as patch:
            point_to(url, patch)
            client = boto3.client("s3")
            _have_bucket(client, url)
            client.close()
        yield url
    finally:
        server.stop()


def _have_bucket(client: Any, url: str) -> None:
    """What moto keeps outlives its server: of an earlier module the bucket may be there, or its name alone."""
    place = {"LocationConstraint": REGION}
    try:
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    except client.exceptions.BucketAlreadyOwnedByYou:
        if BUCKET not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
            urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
            client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)


def point_to(url: str, patch: pytest.MonkeyPatch) -> None:
    """Let clients made from now on speak to the server at ``url``."""
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    patch.setenv("AWS_REGION", REGION)
    patch.setenv("AWS_ENDPOINT_URL", url)

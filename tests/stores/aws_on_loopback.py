"""AWS APIs on loopback (moto's server, in a process of its own), and the environment that points clients to it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

REGION = "eu-central-1"
BUCKET = "stepweave-tests"
START_SECONDS = 30.0


@contextmanager
def aws_on_loopback() -> Iterator[str]:
    """Address of the server, in which the bucket exists.

    A process of its own: what moto keeps is the process's, and other tests use moto in this one.
    """
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(server, port)
        with pytest.MonkeyPatch.context() as patch:
            point_to(url, patch)
            client = boto3.client("s3")
            client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
            client.close()
        yield url
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the server listens."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert server.poll() is None, "moto's server has ended"
            assert time.monotonic() < end, "moto's server does not start"
            time.sleep(0.05)


def point_to(url: str, patch: pytest.MonkeyPatch) -> None:
    """Let clients made from now on speak to the server at ``url``."""
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    patch.setenv("AWS_REGION", REGION)
    patch.setenv("AWS_ENDPOINT_URL", url)
    patch.setenv("AWS_ENDPOINT_URL_S3", url)

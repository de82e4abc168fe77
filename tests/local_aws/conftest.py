"""One local AWS for the whole session, and clients of its services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from stepweave.local_aws.environment import variables
from stepweave.local_aws.home import Home, Running
from stepweave.local_aws.process import down, up

ROOT = Path(__file__).parent.parent.parent
VENV = ROOT / ".stepweave" / "local-aws" / "venv"
"""Made once and kept: it takes seconds, and a package index."""

Client = Callable[[str], Any]


@pytest.fixture(scope="session")
def local_aws_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("local-aws"), VENV)


@pytest.fixture(scope="session")
def local_aws(local_aws_home: Home) -> Iterator[Running]:
    """A running server on a free port."""
    running = up(local_aws_home, 0)
    try:
        yield running
    finally:
        down(local_aws_home)


@pytest.fixture(scope="session")
def aws(local_aws: Running) -> Client:
    """The boto3 client of a service there."""
    given = variables(local_aws.endpoint)
    session = boto3.Session(
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        region_name=given["AWS_REGION"],
    )
    return lambda service: session.client(service, endpoint_url=local_aws.endpoint)

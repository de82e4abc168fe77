"""boto3 clients of the server itself, for what is simplest through its own API.

Never from a function that runs on the server's event loop (a CloudFormation type, an API's handler): the loop would
wait for itself.
"""

from __future__ import annotations

import functools
from typing import Any

import boto3
from botocore.config import Config

_CONNECTIONS = 50


@functools.cache
def client(service: str) -> Any:
    """The client of a service; the server's environment says where it is and who asks. Safe for many threads."""
    config = Config(
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 2},
        read_timeout=900,
        max_pool_connections=_CONNECTIONS,
    )
    return boto3.Session().client(service, config=config)

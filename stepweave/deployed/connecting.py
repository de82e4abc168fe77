"""`connect`: AWS as this process may speak to it: credentials, region and endpoint, and what to do when they are wrong.

Region, account and profile come from where boto3 looks for them. The environment ``local`` is the one on this machine:
its endpoint is found by itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from stepweave.deployed.explaining import explained
from stepweave.errors import UsageError

LOCAL = "local"
"""The environment on this machine."""
STATE = Path(".stepweave", "local-aws", "state.json")
"""What the local AWS says of itself while it is up."""

_FOUND_BY_ALL = frozenset({"env", "iam-role", "container-role", "assume-role-with-web-identity"})
"""Where the object store finds credentials too."""
_RETRIES = {"mode": "standard", "max_attempts": 5}


class Clients(Protocol):
    """Clients of AWS services."""

    @property
    def region(self) -> str:
        """The region of all of them."""

    def client(self, service: str) -> Any:
        """The boto3 client of a service, the same at each call."""


@dataclass(slots=True)
class Aws:
    """The clients of one boto3 session."""

    session: Any
    region: str
    _known: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The client of ``service``; made at the first call, as each takes a while."""
        if service not in self._known:
            config = Config(retries=_RETRIES, connect_timeout=5)
            with explained(f"opening {service}"):
                self._known[service] = self.session.client(service, region_name=self.region, config=config)
        return self._known[service]


def connect(env: str) -> Aws:
    """AWS for the environment ``env``. Raises ``UsageError`` without a region, or when the local AWS is not up.

    What boto3 does not tell other libraries goes into the environment of this process: the region, and for the local
    AWS its endpoint and credentials.
    """
    if env == LOCAL:
        os.environ.pop("AWS_PROFILE", None)
        os.environ.update(_local(STATE))
    with explained("reading the AWS configuration"):
        session = boto3.Session()
    region = session.region_name
    if not region:
        raise UsageError(
            "no AWS region is set; say where the environment is, for example: export AWS_REGION=eu-central-1 "
            f"(infra/environments/{env}.toml names its region)"
        )
    os.environ.setdefault("AWS_REGION", region)
    _tell_profile(session)
    return Aws(session, region)


def account_of(aws: Clients) -> str:
    """The account behind the credentials; ``?`` when AWS does not say."""
    try:
        return str(aws.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError):
        return "?"


def _tell_profile(session: Any) -> None:
    """Let the object store know of credentials in files, which only boto3 reads (:mod:`stepweave.stores.remote`)."""
    with explained("looking for AWS credentials"):
        credentials = session.get_credentials()
    if credentials is not None and credentials.method not in _FOUND_BY_ALL:
        os.environ.setdefault("AWS_PROFILE", session.profile_name)


def _local(path: Path) -> Mapping[str, str]:
    """The variables by which AWS clients find the local AWS."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        endpoint, region = str(state["endpoint"]), str(state.get("region") or "us-east-1")
    except (OSError, ValueError, KeyError) as error:
        # Somebody may have started it elsewhere and said where it is.
        endpoint, region = os.environ.get("AWS_ENDPOINT_URL", ""), os.environ.get("AWS_REGION", "us-east-1")
        if not endpoint:
            raise UsageError(
                "the local AWS is not up here; start it in this folder: stepweave local-aws up"
            ) from error
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }

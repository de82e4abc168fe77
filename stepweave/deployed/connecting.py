"""`connect`: AWS as this process may speak to it: credentials, region and endpoint, and what to do when they are wrong.

Region, account and profile come from where boto3 looks for them. The environment ``local`` is the one on this machine:
its endpoint is found by itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from stepweave.deployed.explaining import explained
from stepweave.errors import UsageError
from stepweave.local_aws.environment import variables
from stepweave.local_aws.home import default

LOCAL = "local"
"""The environment on this machine."""
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
        os.environ.update(_local())
    with explained("reading the AWS configuration"):
        session = boto3.Session()
    # boto3 alone does not read AWS_REGION, where all other SDKs look first.
    region = os.environ.get("AWS_REGION") or session.region_name
    if not region:
        raise UsageError(
            "no AWS region is set; say where the environment is, for example: export AWS_REGION=eu-central-1 "
            f"(infra/environments/{env}.toml names its region)"
        )
    os.environ["AWS_REGION"] = region
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


def _local() -> Mapping[str, str]:
    """The variables by which AWS clients find the local AWS."""
    running = default().running()
    if running is not None:
        return variables(running.endpoint)
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:  # somebody started it elsewhere, and says where
        return variables(endpoint)
    raise UsageError("the local AWS is not up in this folder; start it: stepweave local-aws up")

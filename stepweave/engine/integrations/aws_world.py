"""`AwsWorld`: the boto3 clients of the AWS that a machine's tasks call. The engine's only door to boto3 and moto.

Either a real or local AWS behind an endpoint, or moto in this process: no sockets, no threads, so it works under the
virtual clock. moto keeps its state per process, so there is one such world at a time.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError, UnknownServiceError
from botocore.model import OperationModel, ServiceModel

from stepweave.engine.integrations.aws_names import BOTOCORE_NAMES
from stepweave.errors import UsageError

__all__ = (
    "AwsWorld",
    "BotoCoreError",
    "ClientError",
    "ParamValidationError",
    "actions",
    "is_available",
    "operation",
    "service_model",
    "services",
    "xform_name",
)

REAL_AWS = "aws"
"""The endpoint that means each service's own."""

_NOT_THERE = b"Not yet implemented"
"""moto's answer for a service that it does not know."""
_CONNECT_SECONDS = 5
_READ_SECONDS = 60


class AwsWorld:
    """Clients, one per service, made when first needed."""

    _latest: AwsWorld | None = None
    """The world whose state moto holds."""

    def __init__(self, *, endpoint: str | None, region: str, account: str, seed: int) -> None:
        """``endpoint``: the URL of an AWS, ``aws`` for the real one, None for moto, whose state is then empty;
        ``account`` and ``seed`` (of its ids) are moto's.
        """
        self._endpoint = endpoint
        self._region = region
        self._account = account
        self._clients: dict[str, Any] = {}
        self._stub = None if endpoint else _begin(seed)
        self._session = boto3.Session(**self._credentials(), region_name=region)
        if endpoint is None:
            AwsWorld._latest = self

    def client(self, service: str) -> Any:
        """The boto3 client of a service, by the name that Step Functions or botocore gives it."""
        if self._stub is not None and AwsWorld._latest is not self:
            raise UsageError(
                "another engine has started an AWS in this process since, and moto holds the state of one; "
                "give both engines the same AwsServices, or close the one before"
            )
        name = _botocore_name(service)
        if name not in self._clients:
            self._clients[name] = self._new(name)
        return self._clients[name]

    def _new(self, name: str) -> Any:
        url = self._endpoint if self._endpoint != REAL_AWS else None
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            # The retries of a state machine are its own.
            retries={"total_max_attempts": 1} if self._stub is not None else {"mode": "standard"},
            s3={"addressing_style": "path"} if url else {},
        )
        client = self._session.client(name, endpoint_url=url, config=config)
        if self._stub is not None:
            client.meta.events.register_first("before-send", self._send)
        return client

    def _send(self, request: Any, **_: Any) -> Any:
        """The answer of moto; None when it answers by itself, since a test has its ``mock_aws`` around it."""
        assert self._stub is not None
        request.headers["x-moto-account-id"] = self._account
        if _is_mocked():
            return None
        try:
            response = self._stub("before-send", request)
        except NotImplementedError as error:
            raise _not_served(str(error)) from error
        except Exception as error:
            # What AWS would refuse, moto may stumble over.
            raise MotoError(error=repr(error)) from error
        if response is None or (response.status_code == 404 and response.content == _NOT_THERE):
            raise _not_served(request.url)
        return response

    def _credentials(self) -> dict[str, str]:
        """None of our own where the caller has some and the AWS is not moto."""
        given = "AWS_ACCESS_KEY_ID" in os.environ or "AWS_PROFILE" in os.environ
        if self._endpoint == REAL_AWS or (self._endpoint and given):
            return {}
        return {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


class MotoError(BotoCoreError):  # type: ignore[misc]
    """moto broke while it answered."""

    fmt = "moto has no answer: {error}"


def _not_served(what: str) -> UsageError:
    return UsageError(f"moto does not serve this call: {what}; mock the state, or give an endpoint")


def service_model(service: str) -> ServiceModel | None:
    """The model of a service in botocore; None for a service that it does not know."""
    try:
        return _model(_botocore_name(service))
    except UnknownServiceError:
        return None


def operation(model: ServiceModel, action: str) -> OperationModel | None:
    """The operation that a resource names in camelCase; None when the service has none of this name."""
    names = {name[0].lower() + name[1:]: name for name in model.operation_names}
    return model.operation_model(names[action]) if action in names else None


def actions(model: ServiceModel) -> list[str]:
    """The actions of a service as resources name them."""
    return [name[0].lower() + name[1:] for name in model.operation_names]


def services() -> list[str]:
    """The services as resources name them."""
    renamed = {name: java for java, name in BOTOCORE_NAMES.items()}
    return sorted(renamed.get(name, name.replace("-", "")) for name in _session().get_available_services())


def is_available(endpoint: str | None) -> bool:
    """Whether what serves calls is installed."""
    return endpoint is not None or importlib.util.find_spec("moto") is not None


def _begin(seed: int) -> Any:
    """Moto's stub, its state empty; what a test has set up with moto's own ``mock_aws`` is kept."""
    from moto.core.base_backend import BackendDict
    from moto.core.botocore_stubber import BotocoreStubber
    from moto.moto_api._internal import mock_random

    if not _is_mocked():
        BackendDict.reset()
        mock_random.seed(seed)
    stub = BotocoreStubber()
    stub.enabled = True
    return stub


def _is_mocked() -> bool:
    """Whether the process is inside moto's ``mock_aws``."""
    from moto.core.models import botocore_stubber

    return bool(botocore_stubber.enabled)


def _botocore_name(service: str) -> str:
    if service in BOTOCORE_NAMES:
        return BOTOCORE_NAMES[service]
    return _hyphenated().get(service, service)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def _model(name: str) -> ServiceModel:
    return _session().get_service_model(name)


@cache
def _hyphenated() -> dict[str, str]:
    return {name.replace("-", ""): name for name in _session().get_available_services()}

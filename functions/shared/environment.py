"""What the environment of a function says, and the clients of AWS that it needs; each made once."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

import boto3
from botocore.config import Config

from stepweave.errors import UsageError
from stepweave.stores.run_table import KEPT_DAYS

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=3,
    read_timeout=20,
    user_agent_extra="stepweave",
)
_VERSIONS_DAYS = 90


def required(variable: str, expected: str) -> str:
    """The value of an environment variable; ``UsageError`` that says what is ``expected`` when it is not set."""
    value = os.environ.get(variable, "")
    if not value:
        raise UsageError(f"the environment variable {variable} is not set; expected {expected}")
    return value


def environment_name() -> str:
    """Name of the deployed environment that this function belongs to."""
    return required("STEPWEAVE_ENV", "the name of the environment, for example dev")


def table_name() -> str:
    """Name of the records table."""
    return required("STEPWEAVE_TABLE", "the name of the records table")


def records_days() -> int:
    """How long runs are on record."""
    return _days("STEPWEAVE_RECORDS_DAYS", KEPT_DAYS)


def versions_days() -> int:
    """How long a run may need the versions that it began with."""
    return _days("STEPWEAVE_VERSIONS_DAYS", _VERSIONS_DAYS)


def _days(variable: str, otherwise: int) -> int:
    text = os.environ.get(variable, "") or str(otherwise)
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"{variable} is {text!r}; expected a whole number of days from 1")
    return int(text)


def store_url() -> str:
    """Where artifacts are."""
    return required("STEPWEAVE_STORE", "s3://bucket or s3://bucket/prefix")


def topics() -> dict[str, str]:
    """ARN of each topic of the environment: ``warn``, ``page``, ``ask``."""
    text = required("STEPWEAVE_TOPICS", 'JSON such as {"warn": "arn:aws:sns:…", "page": "arn:aws:sns:…"}')
    try:
        found: dict[str, str] = dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise UsageError(f"STEPWEAVE_TOPICS is not a JSON object: {error}; got {text!r}") from error
    return found


@functools.cache
def client(service: str) -> Any:
    """A client of an AWS service, made once per execution environment."""
    return boto3.client(service, config=_CONFIG)

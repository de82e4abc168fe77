"""Secrets of Secrets Manager, kept for five minutes, so that a rotated one is soon known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from functions.shared.environment import client
from stepweave.errors import UsageError

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
"""Stages of a secret's versions
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version)."""
_FRESH_SECONDS = 300.0

_kept: dict[tuple[str, str], tuple[float, str | None]] = {}


def secret(name: str, stage: str = CURRENT, now: Callable[[], float] = time.monotonic) -> str | None:
    """The text of a secret; None when it has no version of that stage."""
    found = _kept.get((name, stage))
    if found is None or now() - found[0] >= _FRESH_SECONDS:
        found = (now(), _read(client("secretsmanager"), name, stage))
        _kept[(name, stage)] = found
    return found[1]


def secret_json(name: str) -> dict[str, str]:
    """The members of a secret that is a JSON object; an empty secret has none."""
    text = secret(name) or "{}"
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        # The text itself is not shown: it is a secret.
        raise UsageError(f"secret {name!r} is not a JSON object of texts") from None


def forget_secrets() -> None:
    """Read every secret anew."""
    _kept.clear()


def _read(secrets: Any, name: str, stage: str) -> str | None:
    try:
        return str(secrets.get_secret_value(SecretId=name, VersionStage=stage)["SecretString"])
    except secrets.exceptions.ResourceNotFoundException:
        if stage == CURRENT:
            raise UsageError(f"there is no secret {name!r}, or it has no value yet") from None
        return None

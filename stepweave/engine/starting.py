"""`check_input`: what an execution may be started with."""

from __future__ import annotations

from typing import Any

from stepweave.engine.payload import PAYLOAD_BYTES, to_text
from stepweave.errors import UsageError


def check_input(machine: str, value: Any) -> None:
    """Nothing; raises ``UsageError`` for an input of ``machine`` that is not JSON or is too large."""
    try:
        size = len(to_text(value).encode("utf-8", "surrogatepass"))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"the input of {machine!r} is not JSON: {error}") from error
    if size > PAYLOAD_BYTES:
        raise UsageError(
            f"the input of {machine!r} has {size:,} bytes; an execution takes {PAYLOAD_BYTES:,} at most: "
            "hand over a reference to stored data"
        )

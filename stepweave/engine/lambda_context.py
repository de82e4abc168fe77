"""`LambdaContext`: what a handler is told about its invocation, beside the event.

AWS: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

LONGEST_SECONDS = 900.0
"""Longest time limit of a function: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaContext:
    """The context object of one invocation, with the names and types that Lambda gives."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    memory_limit_in_mb: str
    """Text, as on Lambda."""
    timeout_seconds: float = LONGEST_SECONDS
    function_version: str = "$LATEST"
    log_stream_name: str = "local"
    identity: Any = None
    client_context: Any = None
    _started_at: float = field(default_factory=time.monotonic, repr=False)

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is stopped."""
        return max(0, int((self._started_at + self.timeout_seconds - time.monotonic()) * 1000))

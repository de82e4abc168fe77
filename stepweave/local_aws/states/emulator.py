"""What executions need of the rest of the local AWS: functions and jobs, as protocols; tests bring their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Invoked(Protocol):
    """How a function ended."""

    @property
    def payload(self) -> bytes:
        """What it answered: JSON text; of an error Lambda's description."""

    @property
    def function_error(self) -> str | None:
        """``Handled`` or ``Unhandled`` when it failed."""

    @property
    def executed_version(self) -> str:
        """The version that ran."""


class Functions(Protocol):
    """Lambda. Calls block; they raise an exception with ``code`` for what Lambda refuses."""

    def invoke(self, function_ref: str, payload: bytes, qualifier: str = "") -> Invoked:
        """The end of a call."""

    def invoke_later(self, function_ref: str, payload: bytes, qualifier: str = "") -> None:
        """Nothing: the function is called as an event."""


class Jobs(Protocol):
    """Batch. Keys are in lower camel case, as on the wire; calls raise an exception with ``code`` for what Batch
    refuses.
    """

    def submit(self, request: dict[str, Any]) -> str:
        """The id of the new job."""

    def describe(self, job_id: str) -> dict[str, Any]:
        """DescribeJobs' detail."""

    def terminate(self, job_id: str, reason: str) -> None:
        """End a job, whatever it does."""

    def when_ended(self, job_id: str, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call ``callback`` with the detail, from any thread, once the job has ended; at once when it has."""


def code_of(error: BaseException) -> str:
    """The code of a refused call."""
    found = getattr(error, "code", None)
    response = getattr(error, "response", None)
    if found is None and isinstance(response, Mapping):
        found = response.get("Error", {}).get("Code")
    return str(found or type(error).__name__)

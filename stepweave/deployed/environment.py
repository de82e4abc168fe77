"""What is known of a deployed environment: written by infrastructure into SSM parameters, read by everybody else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from stepweave.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    """A value that travels as JSON text."""

    def to_json(self) -> str:
        """JSON text, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`to_json` wrote; unknown keys (of a newer version) are passed over. Raises ``UsageError``."""
        try:
            given: Mapping[str, Any] = json.loads(text)
            return cls(**{one.name: given[one.name] for one in fields(cls) if one.name in given})
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"the description of a deployed environment cannot be read: {error}; "
                "deploy it again with this version of stepweave"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform(_Described):
    """The platform stack of an environment."""

    env: str
    store: str
    """``s3://bucket``."""
    table: str
    """Name of the records table."""
    bus: str = ""
    """Name of the event bus."""
    topics: Mapping[str, str] = field(default_factory=dict)
    """ARN by kind: ``warn``, ``page``, ``ask``."""
    approvals_function: str = ""
    """ARN of its alias."""
    approvals_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedDag(_Described):
    """The stack of one DAG."""

    dag: str
    machine: str
    """ARN of the alias ``live`` of its state machine; runs are started through it."""
    machines: Mapping[str, str] = field(default_factory=dict)
    """ARN of every other state machine of the DAG, by its name (``cleanup``, ``loop_1``)."""
    starter: str = ""
    """ARN of the starter function's alias."""
    task_log_group: str = ""
    job_log_group: str = ""
    schedule: str = ""
    """As :class:`~stepweave.graph.model.DagInfo` has it; empty for none."""
    code_version: str = ""
    """Digest of the deployed code."""

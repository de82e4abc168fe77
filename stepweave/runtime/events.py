"""The JSON objects that a state machine and the runtime exchange (docs/architecture.md has the contract)."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Json: TypeAlias = Any
"""A value as ``json.loads`` gives it."""


class RunInfo(TypedDict):
    """``$run``: the run that a task belongs to."""

    dag: str
    id: str
    execution: NotRequired[str]
    """Name of the root execution; a resumed run has another one."""
    params: NotRequired[dict[str, Json]]
    resume: NotRequired[bool]
    logical_date: NotRequired[str | None]


class Record(TypedDict):
    """How a task run ended, as the state machine keeps it."""

    status: Literal["success", "failed", "skipped", "upstream_failed"]
    value: NotRequired[str]
    """The value as JSON text, when it fits inline."""
    ref: NotRequired[str]
    """Key of the object that holds the value, otherwise."""
    fields: NotRequired[dict[str, Json]]
    """Parts of the value that expressions read, by their path joined with dots."""


class Event(TypedDict):
    """What the state machine sends to run a task."""

    task: str
    call: str
    run: RunInfo
    args: NotRequired[str]
    attempt: NotRequired[int]
    map_index: NotRequired[int | None]
    records: NotRequired[dict[str, Record]]
    values: NotRequired[list[Json]]
    upstream: NotRequired[dict[str, str]]
    fields: NotRequired[str]
    """JSON text of the paths of the value to answer natively; text, since some validators know no lists of lists."""
    inline: NotRequired[int]
    rerun: NotRequired[bool]
    """A resumed run runs the task again even if its inputs are the same: a tear-down."""
    prepare: NotRequired[bool]
    """Write the event for a Batch job instead of running the task."""
    collect: NotRequired[bool]
    """Answer with the record that a Batch job committed instead of running the task."""

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
    index: NotRequired[str]
    """Index path of the scope that the task runs in: ``3/0`` in round 0 of a loop in item 3; absent outside."""


class Record(TypedDict):
    """How a task run ended, as the state machine keeps it."""

    status: Literal["success", "failed", "skipped", "upstream_failed"]
    value: NotRequired[str]
    """The value as JSON text, when it fits inline."""
    ref: NotRequired[str]
    """Key of the object that holds the value, otherwise."""
    fields: NotRequired[dict[str, Json]]
    """Parts of the value that expressions read, by their path joined with dots."""
    chosen: NotRequired[list[str]]
    """Cases that a branch or a short circuit chose."""
    level: NotRequired[int]
    """Rung of the task's ladder that succeeded, from 1; absent for the task itself."""


class Choices(TypedDict):
    """What a task that decides may answer."""

    kind: Literal["branch", "short_circuit"]
    cases: list[str]


class Poke(TypedDict):
    """The sensor that an attempt pokes for."""

    entered: str
    """When the first poke began, as ISO 8601 text."""
    timeout: float
    """Seconds after which it is over."""
    soft: NotRequired[bool]
    """Ends as skipped then."""


class BreakerInfo(TypedDict):
    """The circuit breaker in front of a task."""

    name: str
    failures: int
    reset: float
    """Seconds that it stays open."""


class RungInfo(TypedDict):
    """Which rung of a ladder an attempt is."""

    level: int
    label: NotRequired[str]


class Items(TypedDict):
    """What a mapped node runs for is to be written down."""

    how: Literal["product", "zip", "kwargs"]
    batch: NotRequired[int | None]
    fields: NotRequired[str]
    """JSON text of the parts of items that the state machine reads: parameter, then the path into its value."""
    label: NotRequired[str]


class Quorum(TypedDict):
    """How many of how many replicas must agree."""

    of: int
    need: int


class Undo(TypedDict):
    """The task that is undone."""

    of: str


class NestedRun(TypedDict):
    """The run of another DAG, whose value is looked into."""

    dag: str
    call: str
    run: str
    """Its id."""


class Notice(TypedDict):
    """How a run ended."""

    status: str
    by: list[str]


class Event(TypedDict):
    """What the state machine sends to run a task."""

    task: str
    call: str
    run: RunInfo
    args: NotRequired[str]
    attempt: NotRequired[int]
    records: NotRequired[dict[str, Record]]
    values: NotRequired[list[Json]]
    upstream: NotRequired[dict[str, str]]
    fields: NotRequired[str]
    """JSON text of the paths of the value to answer natively; text, since some validators know no lists of lists."""
    inline: NotRequired[int]
    rerun: NotRequired[bool]
    """A resumed run runs the task again even if its inputs are the same: a tear-down."""
    ends: NotRequired[list[str]]
    """Setups that the task tears down: a resumed run sets up anew."""
    setup: NotRequired[bool]
    """What the task sets up may have been torn down."""
    prepare: NotRequired[bool]
    """Write the event for a Batch job instead of running the task."""
    collect: NotRequired[bool]
    """Answer with the record that a Batch job committed instead of running the task."""
    module: NotRequired[str]
    """Module of the DAG, where ``args`` is ``graph`` and the call is of another module."""
    lost: NotRequired[dict[str, list[int]]]
    """Items of a mapped group that failed although the task of its result succeeded."""
    setups: NotRequired[list[str]]
    """Of a tear-down in a clean-up: it is skipped unless one of these was committed."""
    errors: NotRequired[list[str]]
    """User's error classes that a retry policy names."""
    tries: NotRequired[dict[str, int]]
    """Attempts after the first, by error class."""
    later: NotRequired[int]
    """How often the task was put off by ``RetryAfter``."""
    later_most: NotRequired[int]
    max_failed: NotRequired[int]
    """With more failed tasks in the run no attempt begins."""
    chooses: NotRequired[Choices]
    sensor: NotRequired[Poke]
    breaker: NotRequired[BreakerInfo]
    heartbeat: NotRequired[float]
    """Longest silence of the task, in seconds."""
    rung: NotRequired[RungInfo]
    replica: NotRequired[int]
    stage: NotRequired[bool]
    remember: NotRequired[bool]
    items: NotRequired[Items]
    batch: NotRequired[int]
    """Items per batch; the last component of the index path is the number of the batch."""
    quorum: NotRequired[Quorum]
    undo: NotRequired[Undo]
    commit: NotRequired[list[str]]
    notice: NotRequired[Notice]
    nested: NotRequired[NestedRun]
    cause: NotRequired[str]
    """Of ``collect``: what Batch says of a job that failed; empty for one that did not."""
    compensated: NotRequired[bool]
    """The task may be undone, when the records that its expressions read are gone: ``values`` is kept."""


def index_of(event: Event) -> tuple[str, ...]:
    """The index path of the scope that the task runs in."""
    text = event["run"].get("index")
    return tuple(text.split("/")) if text else ()


def retries_of(event: Event) -> int:
    """Retries that count against a policy: those since ``RetryAfter`` last put the task off, which starts them anew."""
    return max(0, event.get("attempt", 0) - event.get("later", 0))

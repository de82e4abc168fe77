"""What a node of a graph may be besides one call of a function: the values behind the optional fields of ``Task``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stepweave.graph.model import Binding, Compute, Expression, Graph, Resources

ELSE = "else"
"""Case of a condition in which none of its tests is true."""
GO = "go"
"""The one case of a short circuit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """``If``/``Elif``/``Else``: the first case whose test is true is chosen, else the case ``else``."""

    cases: tuple[tuple[str, Expression], ...]
    """Name and test of each case, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A task whose value says which tasks may follow: ids, or for a short circuit whether any does."""

    kind: Literal["branch", "short_circuit"]
    cases: tuple[str, ...]
    """Ids that a branch may return; ``("go",)`` for a short circuit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A task runs only if ``decider`` chose one of ``cases``; otherwise it is skipped, whatever its trigger rule."""

    decider: str
    cases: tuple[str, ...]
    block: bool = False
    """The task is inside a block of an ``If``: it does not run either when the condition was never evaluated.

    Without it (branches, short circuits) a decider that did not succeed decides nothing, as in Airflow.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """The task is called again and again until it answers that what it waits for is there."""

    interval_seconds: int = 60
    backoff: float = 1.0
    """Factor by which the wait grows."""
    max_interval_seconds: int | None = None
    timeout_seconds: int = 7 * 24 * 3600
    soft_fail: bool = False
    """Ends as skipped, not failed, when the time is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person decides; the task's value is ``{"approved", "by", "at", "comment"}``."""

    message: Binding
    approvers: tuple[str, ...] = ()
    timeout_seconds: int = 7 * 24 * 3600
    """Time for the first approvers, and for each escalation that says nothing else."""
    escalations: tuple[tuple[tuple[str, ...], int], ...] = ()
    """Further approvers, and the time they have, in order."""
    on_timeout: Literal["fail", "skip", "reject", "approve"] = "fail"
    on_reject: Literal["fail", "skip", "continue"] = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One more way to get a task done, tried when the one before it has failed for good."""

    call: str
    resources: Resources
    compute: Compute | None = None
    timeout_seconds: int | None = None
    requirements: tuple[str, ...] = ()
    """As those of a task."""
    on: Literal["resource", "any"] = "any"
    """``resource``: only when the one before ran out of memory or disk."""
    label: str = ""
    """For people: ``60 GiB``, or the name of the lesser task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """A circuit breaker, shared by all tasks of all DAGs that name it (Nygard, *Release It!*, 2007)."""

    name: str
    failures: int = 5
    """Failures in a row after which it opens."""
    reset_seconds: int = 60
    """How long it stays open before one attempt may probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A node that runs once per item."""

    how: Literal["product", "zip", "kwargs"]
    arguments: tuple[tuple[str, Binding], ...]
    """Parameter and the list that it takes its items from; for ``kwargs`` one, unnamed, whose items are dicts."""
    max_concurrency: int | None = None
    batch_size: int | None = None
    """Items that one invocation runs, one after another; None for one."""
    tolerated_count: int = 0
    """Failed items with which the node still succeeds."""
    tolerated_percent: float = 0.0
    label: str = ""
    """Key of the item (or name of a parameter) that names it for people; empty for the index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A graph inside a node. Ids of its tasks are unique in the whole DAG."""

    graph: Graph
    """Its ``dag`` is that of the DAG around it. Tasks may refer to tasks outside, whose ids the node has upstream."""
    result: Binding | None = None
    """What the body returns, in terms of its own tasks; None for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """The body runs again until ``until`` holds of the state, at most ``max_rounds`` times.

    The body's result is the state of the next round, and after the last the value of the node.
    """

    start: Binding
    until: Expression
    """Over ``FromState(node=<this loop>)``: the state after a round."""
    max_rounds: int
    exhausted: Literal["continue", "fail"] = "continue"
    """What the end of the last allowed round means when ``until`` does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedDag:
    """An execution of another DAG; the node's value is what the DAG function returned there."""

    dag: str
    """Id of the DAG."""
    call: str
    """``module:name`` of the DAG."""
    params: tuple[tuple[str, Binding], ...]
    result: Binding | None = None
    """The DAG's return value in terms of its own tasks."""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """The node's body starts before ``decider`` has decided, and counts only if it chooses one of ``cases``."""

    decider: str
    cases: tuple[str, ...]


Construct: TypeAlias = (
    Condition | Decision | Sensor | Approval | Expansion | Body | Loop | NestedDag | Speculation
)

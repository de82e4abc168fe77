"""`Graph`: what authoring produces and every later phase reads.

    Graph     = (dag: DagInfo, tasks: Task*)                      tasks in the order in which they were written
    Task      = (id, call, arguments, upstream, guards, ...)      a node: a task, or one of the forms below
    Argument  = (name, Binding)
    Binding   = Literal | FromTask | FromParam | FromItem | FromState | Expression | ListOf | DictOf

What a node is, besides a call of a function, is one optional value of it (``graph/constructs.py``):

    condition   an If: the state machine evaluates it, nothing runs            expansion   mapped over items
    decides     a task whose value says which tasks follow                     body        a graph of its own inside
    sensor      pokes until it is true                                         loop        its body again and again
    approval    waits for a person                                             nested      an execution of another DAG

All values are frozen; text from users stays text (a literal is kept as JSON and never becomes code).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from typing import Literal as OneOf

if TYPE_CHECKING:
    from stepweave.graph.constructs import (
        Approval,
        Body,
        Breaker,
        Condition,
        Decision,
        Expansion,
        Guard,
        Loop,
        NestedDag,
        Rung,
        Sensor,
        Speculation,
    )

Path: TypeAlias = tuple[str | int, ...]
"""Steps into a value: ``ref["a"][0].b`` is ``("a", 0, "b")``."""

Compute: TypeAlias = OneOf["lambda", "batch", "fargate"]
"""Where a task may run; ``batch`` is an instance, ``fargate`` a job without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where in the user's code something was written."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A value written in the DAG function."""

    json: str
    """The value as JSON text, keys in the order written, no white space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromTask:
    """The value that another task returned, or a part of it."""

    task: str
    path: Path = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FromParam:
    """A param of the run, or a part of it."""

    param: str
    path: Path = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FromItem:
    """The item of a mapped task group that this is run for, or a part of it; only inside the group's body."""

    node: str
    """Id of the mapped group."""
    name: str
    """Parameter of the group that is mapped."""
    path: Path = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FromState:
    """The state that a loop carries from round to round, as this round got it, or a part of it; only inside the loop.

    With ``counter``: the number of the round, from 0.
    """

    node: str
    """Id of the loop."""
    path: Path = ()
    counter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression over references, evaluated by the state machine.

    ``text`` is JSONata 2.0.6 in which operand *i* is written ``$_i_`` (``$_0_ + $_1_``); ``operands`` gives their
    meaning. Literals inside ``text`` are already quoted.
    """

    text: str
    operands: tuple[Reference, ...]


Reference: TypeAlias = FromTask | FromParam | FromItem | FromState


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list (or tuple) that holds references."""

    items: tuple[Binding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DictOf:
    """A dict with string keys that holds references."""

    items: tuple[tuple[str, Binding], ...]


Binding: TypeAlias = Literal | Reference | Expression | ListOf | DictOf


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How a failed task is tried again.

    Fields mirror a Step Functions retrier
    (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
    """

    attempts: int = 0
    """Further attempts after the first, 0 to 99,999,999."""
    delay_seconds: int = 5
    """Wait before the first retry, 1 to 31,622,400."""
    backoff: float = 2.0
    """Factor by which the wait grows, at least 1."""
    max_delay_seconds: int | None = 300
    """Ceiling of the wait; None for no ceiling."""
    jitter: bool = True
    """Draw each wait evenly from 0 to its length (full jitter)."""
    on: tuple[str, ...] = ("TransientError", "ResourceError")
    """Error classes that are retried: one of the four, or a user's own (subclasses follow)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a task needs; placement reads it."""

    cpu: float | None = None
    """Virtual CPUs; None for the compute's default."""
    memory_mib: int | None = None
    gpu: int = 0
    ephemeral_mib: int | None = None
    spot: bool = False
    """May run on capacity that can be reclaimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task of a DAG."""

    id: str
    call: str
    """What runs: ``module:qualname`` of an importable task, else ``module:dag_name#task_id`` (found by tracing)."""
    arguments: tuple[tuple[str, Binding], ...] = ()
    upstream: tuple[str, ...] = ()
    """Ids of the direct upstream tasks, data and order together, without repetition, in the order written."""
    fields: tuple[Path, ...] = ()
    """Parts of this task's value that an expression reads; the record carries them natively."""
    trigger_rule: str = "all_success"
    guards: tuple[Guard, ...] = ()
    """Decisions that must have come out in favour of the task, outermost first; it comes after all of them."""
    setup: bool = False
    """Makes what a tear-down removes."""
    teardown: bool = False
    """Clean-up: runs once its upstream tasks are done, and does not count for the outcome of the run."""
    optional: bool = False
    """A failure counts as a skip."""
    retry: RetryPolicy = RetryPolicy()
    other_retries: tuple[RetryPolicy, ...] = ()
    """Policies for error classes that ``retry`` does not name."""
    timeout_seconds: int | None = None
    """Longest attempt; None for the compute's default."""
    heartbeat_seconds: int | None = None
    """Longest silence of a running attempt before it is given up as dead; None for any."""
    ladder: tuple[Rung, ...] = ()
    """What is tried, in order, when all attempts have failed: a bigger compute, or a lesser function."""
    replicas: int = 1
    quorum: int = 1
    """Replicas that must agree on the value."""
    hedge_seconds: int | None = None
    """A second attempt starts beside one that takes longer; the first to succeed wins."""
    compensate: str = ""
    """Call of the task that undoes this one when the run fails; empty when nothing is to be undone."""
    breaker: Breaker | None = None
    version: str = ""
    resources: Resources = Resources()
    compute: Compute | None = None
    """Forced place; None lets placement decide."""
    requirements: tuple[str, ...] = ()
    """Distributions that it needs besides those of the DAG (PEP 508, names in normal form, sorted)."""
    undo_requirements: tuple[str, ...] = ()
    """What the task behind ``compensate`` needs, likewise."""
    doc: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Ids of the enclosing task groups, outermost first."""
    source: Source | None = None
    condition: Condition | None = None
    decides: Decision | None = None
    sensor: Sensor | None = None
    approval: Approval | None = None
    expansion: Expansion | None = None
    body: Body | None = None
    loop: Loop | None = None
    nested: NestedDag | None = None
    speculation: Speculation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamSpec:
    """A param of a DAG as declared."""

    name: str
    default_json: str | None = None
    """JSON text of the default; None when the param is required."""
    schema_json: str = "{}"
    """JSON Schema (2020-12) of the param, as JSON text with sorted keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DagInfo:
    """What is known of a DAG besides its tasks."""

    id: str
    module: str = ""
    """Importable name of the module that defines it."""
    doc: str = ""
    params: tuple[ParamSpec, ...] = ()
    schedule: str | None = None
    """Schedule as text (``cron(0 6 * * 1-5) Europe/Berlin``, ``rate(300 s)``); None when none."""
    triggers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owner: str = ""
    fail_fast: bool = False
    max_failed_tasks: int | None = None
    """Once more tasks have failed, no further task starts; None for any number."""
    retries: int = 0
    """How often a failed run goes on from its successes by itself."""
    on_failure: str = ""
    """Call of the task that is told of a failed run; empty for none."""
    on_success: str = ""
    version: str = ""
    timeout_seconds: int | None = None
    max_active_runs: int | None = None
    """Runs that may go on at once, the others wait for their turn; None for any number."""
    requirements: tuple[str, ...] = ()
    """Distributions that all its tasks need (PEP 508, names in normal form, sorted)."""
    permissions: tuple[str, ...] = ()
    """What its tasks call on AWS by themselves: JSON texts of :class:`stepweave.permissions.Permission`, sorted."""
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A traced DAG. Built by authoring, checked by :func:`stepweave.graph.checks.check`."""

    dag: DagInfo
    tasks: tuple[Task, ...]
    _by_id: dict[str, Task] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id.update((task.id, task) for task in self.tasks)

    def __getitem__(self, task_id: str) -> Task:
        return self._by_id[task_id]

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._by_id

    def __len__(self) -> int:
        return len(self.tasks)

    def ids(self) -> Iterator[str]:
        """Ids of its tasks, in the order written; those inside bodies not included."""
        return iter(self._by_id)


def references(binding: Binding) -> Iterator[Reference]:
    """Every reference inside ``binding``, in the order written."""
    stack: list[Binding] = [binding]
    while stack:
        match stack.pop():
            case FromTask() | FromParam() | FromItem() | FromState() as reference:
                yield reference
            case Expression(operands=operands):
                yield from operands
            case ListOf(items=items):
                stack.extend(reversed(items))
            case DictOf(items=pairs):
                stack.extend(value for _, value in reversed(pairs))
            case Literal():
                pass

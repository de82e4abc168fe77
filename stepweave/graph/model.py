"""`Graph`: what authoring produces and every later phase reads.

    Graph     = (dag: DagInfo, tasks: Task*)                      tasks in the order in which they were written
    Task      = (id, call, arguments, upstream, ...)
    Argument  = (name, Binding)
    Binding   = Literal | FromTask | FromParam | Expression | ListOf | DictOf

All values are frozen; text from users stays text (a literal is kept as JSON and never becomes code).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Steps into a value: ``ref["a"][0].b`` is ``("a", 0, "b")``."""

Compute: TypeAlias = OneOf["lambda", "batch"]
"""Where a task may run."""


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
class Expression:
    """An expression over references, evaluated by the state machine.

    ``text`` is JSONata 2.0.6 in which operand *i* is written ``$_i_`` (``$_0_ + $_1_``); ``operands`` gives their
    meaning. Literals inside ``text`` are already quoted.
    """

    text: str
    operands: tuple[FromTask | FromParam, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list (or tuple) that holds references."""

    items: tuple[Binding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DictOf:
    """A dict with string keys that holds references."""

    items: tuple[tuple[str, Binding], ...]


Binding: TypeAlias = Literal | FromTask | FromParam | Expression | ListOf | DictOf


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
    """Error classes that are retried."""


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
    teardown: bool = False
    """Clean-up: runs once its upstream tasks are done, and does not count for the outcome of the run."""
    retry: RetryPolicy = RetryPolicy()
    timeout_seconds: int | None = None
    """Longest attempt; None for the compute's default."""
    resources: Resources = Resources()
    compute: Compute | None = None
    """Forced place; None lets placement decide."""
    doc: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Ids of the enclosing task groups, outermost first."""
    source: Source | None = None


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
    timeout_seconds: int | None = None
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


def references(binding: Binding) -> Iterator[FromTask | FromParam]:
    """Every reference inside ``binding``, in the order written."""
    stack: list[Binding] = [binding]
    while stack:
        match stack.pop():
            case FromTask() | FromParam() as reference:
                yield reference
            case Expression(operands=operands):
                yield from operands
            case ListOf(items=items):
                stack.extend(reversed(items))
            case DictOf(items=pairs):
                stack.extend(value for _, value in reversed(pairs))
            case Literal():
                pass

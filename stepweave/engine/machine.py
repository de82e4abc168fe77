"""`Machine`: a state machine, parsed and checked; no run in it.

Machine  = Block + time limit
Block    = states that share a scope: the machine's own, a branch's, an item processor's
State    = Task | Pass | Choice | Wait | Succeed | Fail | Parallel | Map
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from stepweave.engine.templates import Template


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retrier:
    """When and how often an attempt is repeated after an error."""

    errors: frozenset[str]
    interval_seconds: float = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: float | None = None
    jitter: bool = False
    """``JitterStrategy: FULL``: a delay between 0 and the computed one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catcher:
    """Where an error leads."""

    errors: frozenset[str]
    next: str
    output: Template | None = None
    assign: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One choice of a Choice state."""

    condition: Template
    next: str
    output: Template | None = None
    assign: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Common:
    """What all states have."""

    name: str
    next: str | None = None
    """The state that follows; None ends the block."""
    output: Template | None = None
    assign: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pass(_Common):
    """Data from the input to the output."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Succeed(_Common):
    """The end of a block."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fail(_Common):
    """The end of everything around it, as an error."""

    error: Template | None = None
    cause: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wait(_Common):
    """A pause, by ``seconds`` or until ``timestamp``."""

    seconds: Template | None = None
    timestamp: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice(_Common):
    """``next`` is the Default; without one, no match is an error."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fallible(_Common):
    """What states have that may fail and be tried again."""

    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()
    arguments: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task(_Fallible):
    """A call of an integration."""

    resource: str
    """What is called, without the ARN's head: ``lambda:invoke.waitForTaskToken``; ``activity`` for an activity and
    ``lambda:function`` for a function named by its own ARN."""
    target: str = ""
    """The ARN of the activity or the function that ``Resource`` names itself; empty otherwise."""
    timeout_seconds: Template | None = None
    heartbeat_seconds: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parallel(_Fallible):
    """Branches side by side."""

    branches: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemReader:
    """Where a distributed map finds its items."""

    resource: str
    """``s3:getObject`` or ``s3:listObjectsV2``."""
    arguments: Template | None = None
    config: Template | None = None
    """``ReaderConfig``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemBatcher:
    """How a distributed map puts several items into one child execution."""

    max_items: Template | None = None
    max_bytes: Template | None = None
    batch_input: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResultWriter:
    """Where a distributed map writes its results."""

    resource: str | None = None
    """``s3:putObject``; None when only the form of the results is configured."""
    arguments: Template | None = None
    config: Template | None = None
    """``WriterConfig``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distributed:
    """What only a distributed map has: its iterations are executions of their own."""

    express: bool
    """``ExecutionType: EXPRESS``."""
    label: str | None = None
    reader: ItemReader | None = None
    batcher: ItemBatcher | None = None
    writer: ResultWriter | None = None
    tolerated_count: Template | None = None
    tolerated_percentage: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Map(_Fallible):
    """A map; inline when ``distributed`` is None."""

    processor: Block
    items: Template | None = None
    selector: Template | None = None
    max_concurrency: Template
    """0: no limit but the mode's own."""
    distributed: Distributed | None = None


State: TypeAlias = Task | Pass | Choice | Wait | Succeed | Fail | Parallel | Map


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """States that share a scope."""

    start: str
    states: dict[str, State] = field(default_factory=dict, repr=False, compare=False)
    """Filled while the definition is read, never afterwards: so blocks nest without limit and without recursion."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """A state machine."""

    name: str
    block: Block
    timeout_seconds: float | None = None
    inexact: bool = False
    """Whether the definition holds numbers that JSONata would change."""

    def states(self) -> Iterator[State]:
        """Every state, of nested blocks too."""
        blocks = [self.block]
        while blocks:
            for state in blocks.pop().states.values():
                yield state
                match state:
                    case Parallel(branches=branches):
                        blocks.extend(branches)
                    case Map(processor=processor):
                        blocks.append(processor)
                    case _:
                        pass

    def tasks(self) -> Iterator[Task]:
        """Every Task state, of nested blocks too."""
        return (state for state in self.states() if isinstance(state, Task))

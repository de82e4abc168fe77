"""`get_current_context()`: what a running task can know about itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepweave.errors import DataError, UsageError
from stepweave.runtime.events import Json
from stepweave.runtime.lazily import part
from stepweave.runtime.paths import native
from stepweave.runtime.scratch import Scratch
from stepweave.stores.objects import ObjectStore

if TYPE_CHECKING:
    from stepweave.runtime.checkpoints import Checkpoint

_current: ContextVar[Context | None] = ContextVar("stepweave_context", default=None)
_logger = logging.getLogger("stepweave.task")
_logger.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The task run and the attempt that is running."""

    dag_id: str
    run_id: str
    task_id: str
    index: str = ""
    """Index path of the task run: ``3/0`` in round 0 of a loop in item 3 of a map."""
    attempt: int = 0
    """Attempts before this one."""
    params: Mapping[str, Json] = field(default_factory=dict)
    """Params of the run."""
    logical_date_text: str | None = None
    upstream: Mapping[str, str] = field(default_factory=dict)
    """Status of each upstream task; empty when the trigger rule is ``all_success``."""
    metadata: dict[str, Json] = field(default_factory=dict)
    """What the task noted about its result by :meth:`log_metadata`."""
    scratch_space: Scratch = field(default_factory=Scratch, repr=False)
    store: ObjectStore | None = field(default=None, repr=False)
    """Where the run's artifacts live; None in a test of the function alone."""
    input_digest: str = field(default="", repr=False)
    """Digest of everything that the result follows from: a checkpoint of other inputs is none of this attempt."""
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def map_indexes(self) -> tuple[int, ...]:
        """Numbers of the items and rounds that the task runs for, outermost first."""
        return tuple(map(int, self.index.split("/"))) if self.index else ()

    @property
    def map_index(self) -> int | None:
        """Number of the item or round that the task runs for; None outside of mapped nodes and loops."""
        return self.map_indexes[-1] if self.index else None

    @property
    def logical_date(self) -> datetime | None:
        """The moment that the run stands for; None when it was started by hand without one."""
        text = self.logical_date_text
        return None if text is None else datetime.fromisoformat(text)

    @property
    def logger(self) -> logging.Logger:
        """A logger whose lines go to the log of this attempt."""
        return _logger

    @property
    def scratch(self) -> Path:
        """An empty folder of this attempt, deleted after it; what is returned as a ``Path`` is stored before."""
        return Path(self.scratch_space.path)

    def log_metadata(self, **values: Json) -> None:
        """Keep ``values`` (numbers, texts, lists, dicts) with the result; what is none of these is kept as its text."""
        for name, value in values.items():
            try:
                self.metadata[name] = native(value, (), name)
            except DataError:
                self.metadata[name] = str(value)

    def heartbeat(self) -> None:
        """Show a sign of life; a task with ``heartbeat=`` is given up when it shows none for that long."""
        part("heartbeat").beat()

    @property
    def stopping(self) -> bool:
        """Whether this attempt is about to be stopped: its spot instance is reclaimed, or its job is terminated.

        Save what you have (:attr:`checkpoint`) and raise; a further attempt goes on from there.
        """
        return bool(part("stopping").is_stopping())

    @property
    def checkpoint(self) -> Checkpoint:
        """What the attempts of this task hand to each other (:class:`stepweave.runtime.checkpoints.Checkpoint`).

        ``checkpoint.load(default)`` gives what ``checkpoint.save(value)`` saved last, in this attempt, one before it or
        the run before it was resumed; files in ``checkpoint.folder`` are saved along with it.
        """
        if "checkpoint" not in self._kept:
            self._kept["checkpoint"] = part("checkpoints").checkpoint_of(self, self._opened())
        found: Checkpoint = self._kept["checkpoint"]
        return found

    @property
    def has_checkpoint(self) -> bool:
        """Whether the task has asked for its checkpoint."""
        return "checkpoint" in self._kept

    def last_success(self) -> Any:
        """The value of the latest success of this task in any run; ``DataError`` when there is none."""
        return part("last_success").recall(self, self._opened())

    def publish(self, name: str, partition: str, value: Any) -> None:
        """Make ``value`` the content of a partition of asset ``name``; readers see the old one or the new one.

        Repeated by the same run with the value that it published last, it changes nothing.
        """
        part("partitions").publish(self, self._opened(), name, partition, value)

    def latest(self, name: str, partition: str) -> Any:
        """The content of a partition of asset ``name``; ``DataError`` when nothing was published."""
        return part("partitions").latest(self._opened(), name, partition, self.scratch_space)

    def _opened(self) -> ObjectStore:
        if self.store is None:
            raise UsageError("this context has no store; give Context(store=open_store(folder)) in a test")
        return self.store


def get_current_context() -> Context:
    """The context of the task that is running in this thread; ``UsageError`` outside of a task."""
    context = _current.get()
    if context is None:
        raise UsageError(
            "get_current_context() was called outside of a running task; call it inside a function decorated with @task"
        )
    return context


def swap_context(context: Context | None) -> Context | None:
    """Make ``context`` the current one; the one before, to be put back."""
    before = _current.get()
    _current.set(context)
    return before

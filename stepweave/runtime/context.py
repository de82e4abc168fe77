"""`get_current_context()`: what a running task can know about itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from stepweave.errors import DataError, UsageError
from stepweave.runtime.events import Json
from stepweave.runtime.paths import native
from stepweave.runtime.scratch import Scratch

_current: ContextVar[Context | None] = ContextVar("stepweave_context", default=None)
_logger = logging.getLogger("stepweave.task")
_logger.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The task run and the attempt that is running."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int | None = None
    """Index in a mapped task; None for a task that is not mapped."""
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

"""`Run`: what the lines of one execution share."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from stepweave.engine.events import Listener
from stepweave.engine.execution import Execution


class Run:
    """What the lines of one execution share."""

    __slots__ = (
        "_generator",
        "_seed",
        "execution",
        "flush",
        "inexact",
        "listeners",
        "now",
        "variable_bytes",
    )

    def __init__(
        self,
        execution: Execution,
        now: Callable[[], float],
        seed: str,
        listeners: tuple[Listener, ...],
        inexact: bool,
        flush: Callable[[], None],
    ) -> None:
        """``seed`` is of all random numbers; ``flush`` returns when what was recorded cannot be lost any more."""
        self.execution = execution
        self.flush = flush
        self.now = now
        self.listeners = listeners
        self._seed = seed
        self._generator: Random | None = None
        self.inexact = inexact
        """Whether numbers may have entered that JSONata would change; plain paths are not walked in Python then."""
        self.variable_bytes = 0

    @property
    def generator(self) -> Random:
        """Where random numbers come from; made when first needed, since it is large."""
        if self._generator is None:
            self._generator = Random(self._seed)
        return self._generator

    def open_lines(self, count: int) -> int:
        """The number of the first of ``count`` new lines."""
        first = self.execution.lines
        self.execution.lines += count
        return first

"""`History`: what happened in an execution, as small records; :mod:`.history_events` gives them AWS's shape.

Besides what AWS shows, a record holds what is needed to go on from it (:mod:`.positions`): the line of states it
belongs to, where the line goes next, the items of a map. The history is therefore also what an execution is resumed
and redriven from; a journal is the same records on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.history_events import to_event
from stepweave.engine.machine import Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait
from stepweave.engine.place import EMBEDDED, Place

MAX_EVENTS = 25_000
"""Events of one execution: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""

Record: TypeAlias = tuple[str, int, float, str | None, Any, Any, int]
"""Type, id of the event before on the same line, seconds since the epoch, name (of the state or the resource), data,
what else there is, number of the line. A *note*, whose type begins with ``~``, is no event: it is in journals only."""

RETRY_NOTE = "~Retry"
"""An attempt failed and another follows: data ``[retries of each retrier, retries in all, due]``."""
WAIT_NOTE = "~Wait"
"""A Wait began: data is when it ends."""

ANSWER_NOTE = "~Answer"
"""A task token was sent back: data is the output in a list, or ``[error, cause]``."""

Sink: TypeAlias = Callable[[Record], None]
"""Takes each record as it is made."""


_TYPES = (Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map)
ENTERED: dict[type, str] = {kind: f"{kind.__name__}StateEntered" for kind in _TYPES}
EXITED: dict[type, str] = {kind: f"{kind.__name__}StateExited" for kind in _TYPES}
"""Types of events by type of state."""


class History:
    """The events of one execution. Ids count from 1; ``previous`` is the id of the event before on the same line."""

    __slots__ = ("_limit", "_now", "_place", "_records", "_sink")

    def __init__(
        self,
        now: Callable[[], float],
        limit: float = MAX_EVENTS,
        sink: Sink | None = None,
        records: Sequence[Record] = (),
        place: Place = EMBEDDED,
    ) -> None:
        """``records``: what happened before, in an execution that is gone on with."""
        self._now = now
        self._records: list[Record] = list(records)
        self._limit = limit
        self._sink = sink
        self._place = place

    def __len__(self) -> int:
        return len(self._records)

    def record(
        self,
        kind: str,
        previous: int,
        name: str | None = None,
        data: Any = None,
        more: Any = None,
        line: int = 0,
    ) -> int:
        """The id of the new event; raises ``States.Runtime`` when no room is left but for the last one."""
        records = self._records
        if len(records) >= self._limit - 1:
            raise StateError(
                RUNTIME, f"The execution reached the maximum number of history events ({self._limit})."
            )
        record = (kind, previous, self._now(), name, data, more, line)
        records.append(record)
        if self._sink is not None:
            self._sink(record)
        return len(records)

    def note(self, kind: str, data: Any, line: int) -> None:
        """Write a note to the journal, if there is one."""
        if self._sink is not None:
            self._sink((kind, 0, self._now(), None, data, None, line))

    def end(self, kind: str, previous: int, data: Any = None) -> None:
        """Record the last event, for which there is always room."""
        record = (kind, previous, self._now(), None, data, None, 0)
        self._records.append(record)
        if self._sink is not None:
            self._sink(record)

    def kinds(self) -> list[str]:
        """The types of the events, in order."""
        return [record[0] for record in self._records]

    def records(self) -> Sequence[Record]:
        """The records behind the events, in order."""
        return self._records

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """The events as GetExecutionHistory gives them, timestamps in seconds since the epoch; ``after``: those with
        larger ids.
        """
        records = islice(self._records, after, None)
        for number, (kind, previous, at, name, data, more, _) in enumerate(records, start=after + 1):
            yield to_event(kind, number, previous, at, name, data, more, self._place)

"""`Publisher`: status events, metrics and logs of executions, handed to the other services in a thread of its own.

One thread, so that they come in the order in which things happened; the loop of the executions never waits for it.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from stepweave.local_aws.states.entry import Entry
from stepweave.local_aws.states.execution_metrics import NAMESPACE, Sample, metrics_of
from stepweave.local_aws.states.log_lines import log_lines, stream_of
from stepweave.local_aws.states.status_events import status_event

_log = logging.getLogger("stepweave.states")


class Services(Protocol):
    """Where they go. Calls may block, and may fail."""

    def put_event(self, event: dict[str, Any]) -> None:
        """Put an event on the default bus."""

    def record(self, namespace: str, sample: Sample) -> None:
        """Add a value to a metric."""

    def write(self, group: str, stream: str, lines: Sequence[str], at_ms: int) -> None:
        """Append lines to a log stream."""


class Publisher:
    """Outlets of :class:`~stepweave.local_aws.states.service.States`."""

    def __init__(self, services: Services, now: Callable[[], float]) -> None:
        self._services = services
        self._now = now
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="stepweave-publisher", daemon=True)
        self._thread.start()

    def started(self, entry: Entry) -> None:
        self._changed(entry)

    def ended(self, entry: Entry) -> None:
        self._changed(entry)

    def happened(self, entry: Entry, events: Sequence[dict[str, Any]]) -> None:
        group = entry.revision.logging.group
        lines = log_lines(entry, events)
        if group is None or not lines:
            return
        stream = stream_of(entry)
        for at_ms, together in itertools.groupby(lines, key=lambda line: line[0]):
            texts = [text for _, text in together]
            self._later(lambda texts=texts, at_ms=at_ms: self._services.write(group, stream, texts, at_ms))

    def close(self) -> None:
        """Return when all of it has been handed over."""
        self._work.put(None)
        self._thread.join()

    def _changed(self, entry: Entry) -> None:
        # The values are taken now: the entry goes on.
        for sample in metrics_of(entry):
            self._later(lambda sample=sample: self._services.record(NAMESPACE, sample))
        if not entry.revision.express:
            event = status_event(entry, self._now())
            self._later(lambda: self._services.put_event(event))

    def _later(self, work: Callable[..., None]) -> None:
        self._work.put(work)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception:
                # Status events, metrics and logs are best effort, on AWS too.
                _log.exception("what happened to an execution was not told")

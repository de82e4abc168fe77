"""`Batches`: the items of mapped tasks that one invocation runs one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stepweave.embedded.calls import TaskCall
from stepweave.embedded.causes import error_message
from stepweave.embedded.places import Place, child_of, parent_of, written_items
from stepweave.embedded.taskruns import TaskRuns

_SUCCESS, _SKIPPED = "s", "k"
"""Letters by which a batch tells how its items ended; any other is a failure."""


class Batches:
    """Tells task runs what happens to the items of a batch."""

    def __init__(
        self,
        runs: TaskRuns,
        places: Mapping[str, Place],
        failure: Callable[[str, str], tuple[str, str] | None],
    ) -> None:
        """``failure``: error class and text that an item (task and index path) left behind."""
        self._runs, self._places, self._failure = runs, places, failure

    def called(self, call: TaskCall, attempt: int) -> None:
        """The items of a batch are called for; those that an earlier attempt committed are told again as they were."""
        for index in self._items(call):
            self._runs.called(call.task, attempt, index)

    def started(self, call: TaskCall) -> None:
        """The invocation begins."""
        for index in self._items(call):
            self._runs.started(call.task, index)

    def ended(self, call: TaskCall, letters: str) -> None:
        """The items ended as ``letters`` say, in order."""
        for index, letter in zip(self._items(call), letters, strict=False):
            if letter == _SUCCESS:
                self._runs.succeeded(call.task, {}, index=index)
            elif letter == _SKIPPED:
                self._runs.skipped(call.task, index=index)
            else:
                error, cause = self._failure(call.task, index) or ("States.TaskFailed", "")
                message = error_message(cause, error)
                self._runs.failed(call.task, error, message, again=False, index=index)

    def failed(self, call: TaskCall, error: str, message: str) -> None:
        """The invocation as a whole failed for good."""
        for index in self._items(call):
            self._runs.failed(call.task, error, message, again=False, index=index)

    def _items(self, call: TaskCall) -> Iterator[str]:
        """Index paths of the items of a batch; the last one may be short."""
        node = parent_of(call.index)
        task = self._places[call.task].task
        size = (task.expansion.batch_size if task.expansion is not None else None) or 1
        items = self._runs.at(call.task, node).items
        total = items.total if items is not None else written_items(task)
        first = call.number * size
        last = first + size if total is None else min(first + size, total)
        return (child_of(node, number) for number in range(first, last))

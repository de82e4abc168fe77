"""`OpenCalls`: what the lines of a run's executions have called last, found by line, by execution and by task run."""

from __future__ import annotations

from stepweave.embedded.calls import TaskCall

Line = tuple[str, int]
"""An execution, and a line of states in it."""


class OpenCalls:
    """The latest call of each line. A map may have ten thousand executions: nothing here looks at all of them."""

    def __init__(self) -> None:
        self._by_execution: dict[str, dict[int, TaskCall]] = {}
        self._lines: dict[tuple[str, str], int] = {}
        """How many lines call for a task run."""

    def get(self, line: Line) -> TaskCall | None:
        """The latest call of ``line``."""
        return self._by_execution.get(line[0], {}).get(line[1])

    def put(self, line: Line, call: TaskCall) -> None:
        """``line`` calls."""
        self.pop(line)
        self._by_execution.setdefault(line[0], {})[line[1]] = call
        key = (call.task, call.index)
        self._lines[key] = self._lines.get(key, 0) + 1

    def pop(self, line: Line) -> TaskCall | None:
        """The latest call of ``line``, forgotten."""
        lines = self._by_execution.get(line[0])
        call = lines.pop(line[1], None) if lines is not None else None
        if call is not None:
            key = (call.task, call.index)
            self._lines[key] -= 1
            if not self._lines[key]:
                del self._lines[key]
        return call

    def is_called_for(self, task: str, index: str) -> bool:
        """Whether some line's latest call is for this task run."""
        return (task, index) in self._lines

    def end(self, execution: str) -> None:
        """Forget the calls of an execution."""
        for number in list(self._by_execution.get(execution, {})):
            self.pop((execution, number))
        self._by_execution.pop(execution, None)

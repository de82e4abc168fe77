"""How large a value may be to travel inline, so that no payload can pass 256 KiB.

Every place that gathers records (a task's arguments, what a branch or a machine hands out, a gate) divides
one payload among the records it gathers; a task's budget is the smallest share among the places its record
goes to.
"""

from __future__ import annotations

from stepweave.asl.frames import Element, Layout
from stepweave.asl.reads import Reads
from stepweave.graph.model import FromTask, Graph, references

MAX_VARIABLES_BYTES = 10 * 1024 * 1024
"""All variables of one execution
(https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html)."""

_GATHERED_BYTES = 200_000
"""Part of a payload that records may fill; the rest is for params, ids and the service's own fields."""
_RECORD_OVERHEAD_BYTES = 200
_MAX_INLINE_BYTES = 16 * 1024
_MIN_INLINE_BYTES = 256
"""Below this a reference is as small."""


class Budgets:
    """Inline budgets, in bytes of JSON text, by task."""

    def __init__(self, graph: Graph, layout: Layout, reads: Reads, copies: int = 1) -> None:
        """``copies``: how many of the graph may run at once in one execution, where it is the body of a node."""
        share = min(_MAX_INLINE_BYTES, int(MAX_VARIABLES_BYTES * 0.8) // max(1, len(graph) * copies))
        self._of: dict[str, int] = {}
        for task in graph.tasks:
            read = [
                r.task
                for _, binding in task.arguments
                for r in references(binding)
                if isinstance(r, FromTask)
            ]
            self._limit(read, share)
        gathered: dict[Element | None, int] = {}
        for frame, keys in reads.exports.items():
            gathered[frame.holder] = gathered.get(frame.holder, 0) + len(keys)
        for frame, keys in reads.exports.items():
            self._limit([key for key in keys if key in self._of], share, gathered[frame.holder])
        for element in reads.pending:
            if element.gate:
                waiting = [task for group in element.gate.met if len(group) == 1 for task in group]
                self._limit([task for task in waiting if task in self._of], share, len(waiting))

    def _limit(self, tasks: list[str], share: int, gathered: int | None = None) -> None:
        if not tasks:
            return
        each = _GATHERED_BYTES // (gathered or len(tasks)) - _RECORD_OVERHEAD_BYTES
        for task in tasks:
            self._of[task] = min(each, share, self._of.get(task, each))

    def of(self, task: str) -> int:
        """Longest value of ``task`` that travels inline; 0 if none may or nobody reads it."""
        budget = self._of.get(task, 0)
        return budget if budget >= _MIN_INLINE_BYTES else 0

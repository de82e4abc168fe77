"""`Tally`: how many tasks are in which status, counted change by change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from stepweave.embedded.taskruns import ENDED, TaskRun
from stepweave.graph.model import Graph

OTHERS = "(others)"
"""Name of the group of the tasks that are in none."""

_NUMBER = re.compile(r"_*\d+$")


class Tally:
    """Counts by group and status; an observer of task runs."""

    def __init__(self, groups: Mapping[str, str]) -> None:
        """``groups``: the group of each task, ``OTHERS`` for none."""
        self.groups: dict[str, Counter[str | None]] = {}
        self.active: dict[str, TaskRun] = {}
        self.failed: dict[str, TaskRun] = {}
        self.total = len(groups)
        self.ended = 0
        self._group_of = groups
        self._status: dict[str, str | None] = {}
        for group in groups.values():
            self.groups.setdefault(group, Counter())[None] += 1

    def __call__(self, run: TaskRun) -> None:
        """Count a change; items and tasks in bodies are a part of their node."""
        if run.index or run.inside is not None or run.task not in self._group_of:
            return
        counts = self.groups[self._group_of[run.task]]
        before = self._status.get(run.task)
        counts[before] -= 1
        counts[run.status] += 1
        self._status[run.task] = run.status
        self.ended += (run.status in ENDED) - (before in ENDED)
        if run.status in ("running", "up_for_retry"):
            self.active[run.task] = run
        else:
            self.active.pop(run.task, None)
        if run.status == "failed":
            self.failed[run.task] = run

    def count(self, status: str | None) -> int:
        """Tasks in ``status``."""
        return sum(counts[status] for counts in self.groups.values())


def groups_of(graph: Graph) -> dict[str, str]:
    """The group under which each task is counted: its outermost task group, else what its id shares with others.

    Tasks ``w_1``, ``w_2`` and ``w__3`` are counted as ``w``; a task that shares its id's beginning with none is
    in ``OTHERS``.
    """
    named = {task.id: task.groups[0] if task.groups else _NUMBER.sub("", task.id) for task in graph.tasks}
    sizes = Counter(named.values())
    return {task: group if group and sizes[group] > 1 else OTHERS for task, group in named.items()}

"""`RunResult`: how an embedded run ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.timing import Breakdown
from stepweave.graph.model import Graph

RunEnd = Literal["success", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run that has ended."""

    run_id: str
    dag_id: str
    graph: Graph = field(repr=False)
    status: RunEnd
    tasks: dict[str, TaskRun]
    """Every task of the DAG, in the order written, those of bodies after their node."""
    maps: dict[str, list[TaskRun]] = field(default_factory=dict)
    """Items, rounds and runs inside bodies, by task, in the order of their index paths."""
    wall_seconds: float
    """From the call of the state machine to its end."""
    error: str
    """Why the run failed, for people; empty when it did not."""
    breakdown: Breakdown
    store: str
    """Folder or URL of artifacts and records."""
    log_paths: dict[tuple[str, str], str]
    """Where the log of the last attempt of each failed task run lies, by task and index path."""
    results: tuple[tuple[str, str], ...]
    """Task and place of each result that nothing reads and that is a file."""

"""`Way`: one way to carry out a task: a call, where it runs, and where control goes afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepweave.asl import names
from stepweave.asl.bodies.outlet import Outlet
from stepweave.graph.model import Task
from stepweave.planning.placement import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The task's own call, a rung of its ladder, or one of several copies."""

    base: str
    """Name of the state that runs it; further states are named after it."""
    part: str = ""
    """Distinguishes the variables of the ways of one task."""
    task: Task
    """The task with the call, resources and limits of this way."""
    placement: Placement
    event: dict[str, Any]
    outlet: Outlet
    share: str
    """Whose share of a job queue a job counts in."""

    @property
    def entry(self) -> str:
        """Name of the first state."""
        return entry_of(self.base, self.placement)


def entry_of(base: str, placement: Placement) -> str:
    """Name of the first state of the way whose state that runs it is ``base``."""
    return names.prepare(base) if placement.is_job else base

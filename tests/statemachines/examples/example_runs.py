"""Runs of the examples, in this process or with workers, in the test's own folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.cli.running import run_object
from stepweave.embedded.request import RunRequest
from stepweave.embedded.run import run_dag
from stepweave.loading import load
from stepweave.simulation.simulating import simulate
from stepweave.stores.objects import ObjectStore, open_store

FOLDER = Path(__file__).parents[3] / "statemachines" / "examples"
STORE = ".stepweave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that has ended."""

    id: str
    status: str
    error: str
    tasks: Mapping[str, Any]
    """Tasks as ``stepweave run --json`` prints them."""

    @property
    def statuses(self) -> dict[str, str]:
        """Status of each task that is not inside of another node."""
        return {task: each["status"] for task, each in self.tasks.items()}

    def value(self, task: str) -> Any:
        """Value of a task."""
        return self.tasks[task]["value"]

    def items(self, task: str) -> list[dict[str, Any]]:
        """The items, or rounds, of a task."""
        found: list[dict[str, Any]] = self.tasks[task]["map"]
        return found

    def prefix(self, task: str) -> Path:
        """Folder of what a task stored."""
        dag = next((Path(STORE) / "runs").glob(f"*/{self.id}")).parent.name
        return Path(STORE, "runs", dag, self.id, task)


def example(name: str, dag: str = "") -> Dag:
    """The DAG of the example whose file begins with ``name``."""
    (path,) = FOLDER.glob(f"{name}_*.py")
    return load(f"{path}:{dag}" if dag else str(path))


def run_example(
    name: str,
    dag: str = "",
    *,
    workers: int | None = None,
    resume: str | None = None,
    logical_date: str | None = None,
    **params: Any,
) -> Ended:
    """The ended run of an example, in this process unless it is given ``workers``."""
    request = RunRequest(
        dag=example(name, dag),
        params=params,
        inline=workers is None,
        workers=workers,
        store=STORE,
        run_id=resume,
        resume=resume is not None,
        logical_date=logical_date,
    )
    result = run_dag(request)
    ended: Any = run_object(result, store())
    return Ended(id=result.run_id, status=result.status, error=result.error, tasks=ended["tasks"])


def makespan(name: str, durations: Mapping[str, float]) -> float:
    """Seconds that a run of an example would take on a virtual clock; tasks take a second unless ``durations`` says."""
    return simulate(example(name).graph(), durations).makespan_seconds


def store() -> ObjectStore:
    """The store that all runs of a test share."""
    return open_store(STORE)

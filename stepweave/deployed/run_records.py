"""`RunRecords`: the runs of a deployed environment: the newest, or those whose id begins as people type it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from stepweave.deployed.connecting import LOCAL
from stepweave.deployed.deployment import Deployment
from stepweave.deployed.explaining import explained
from stepweave.stores.run_table import DeployedRun, RunTable

DAYS = 31
"""Days looked through, from today backwards, before runs are looked up by their DAG."""
THREADS = 8
"""DAGs looked through at once."""


class RunRecords:
    """The runs of one environment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._table = RunTable(deployment.aws.client("dynamodb"), deployment.platform.table)

    def run(self, dag_id: str, run_id: str) -> DeployedRun | None:
        """One run, as it is on record now, or None."""
        with explained("reading the record of a run"):
            return self._table.get(dag_id, run_id)

    def newest(self, dag_id: str | None, limit: int) -> list[DeployedRun]:
        """The ``limit`` latest runs (of one DAG), newest first; those that wait to begin come before all others.

        A DAG that has not run for long is looked up by itself. So is each on the local AWS, whose clock may be days
        ahead of this one.
        """
        dag_ids = [dag_id] if dag_id is not None else self._deployment.dag_ids()
        found = self._of_each(dag_ids, self._table.queued)
        with explained("reading the records of runs"):
            found += islice(self._table.recent(days=DAYS, dag=dag_id), limit)
        if len(found) < limit or self._deployment.env == LOCAL:
            found += self._of_each(dag_ids, self._table.beginning_with)
        unique = {(run.dag, run.run_id): run for run in reversed(found)}
        return newest_first(unique.values())[:limit]

    def beginning_with(self, beginning: str) -> list[DeployedRun]:
        """The runs whose id begins with ``beginning``, newest first; one with just this id comes alone."""
        found = self._of_each(
            self._deployment.dag_ids(), lambda dag: self._table.beginning_with(dag, beginning)
        )
        exact = [run for run in found if run.run_id == beginning]
        return exact or newest_first(found)

    def inside(self, run_id: str) -> list[DeployedRun]:
        """The runs that tasks of a run are, as they began: their ids begin with its own and a dot."""
        return newest_first(self.beginning_with(f"{run_id}."))[::-1]

    def _of_each(
        self, dag_ids: Iterable[str], look: Callable[[str], Iterable[DeployedRun]]
    ) -> list[DeployedRun]:
        with explained("reading the records of runs"), ThreadPoolExecutor(THREADS) as threads:
            return [run for runs in threads.map(lambda dag: list(look(dag)), dag_ids) for run in runs]


def newest_first(runs: Iterable[DeployedRun]) -> list[DeployedRun]:
    """``runs`` by when they began, or were queued."""
    return sorted(runs, key=lambda run: run.started or run.queued or "", reverse=True)

"""`RunRecords`: the runs of a deployed environment, read from its table of records.

The table has an item for each run (``pk`` ``DAG#<dag>``, ``sk`` ``RUN#<run id>``) and an index ``by_day`` on ``day``
and ``started``. The newest runs are found day by day, backwards; of a DAG that ran long ago by its key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from stepweave.deployed.connecting import Clients
from stepweave.deployed.explaining import explained

DAYS = 31
"""Days looked through, from today backwards, before runs are looked up by their DAG."""
ENDED = ("success", "failed", "cancelled", "timed_out")
"""Statuses in which a run stays."""
THREADS = 8
"""DAGs looked through at once for the beginning of a run id."""

_DOING = "reading the records of runs"
_plain = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run of a deployed DAG. Times are seconds since the epoch."""

    run_id: str
    dag_id: str
    status: str
    """``queued``, ``running``, ``success``, ``failed``, ``cancelled`` or ``timed_out``."""
    executions: tuple[str, ...] = ()
    """ARNs, the latest last; each resumption is one."""
    attempt: int = 1
    started_at: float | None = None
    ended_at: float | None = None
    logical_date: str | None = None
    params: Mapping[str, Any] | None = None
    """None where they are too large for the record."""
    trigger: Mapping[str, Any] | None = None
    """What started it."""
    error: str = ""
    failed: tuple[str, ...] = ()
    """Ids of the tasks that failed."""
    code_version: str = ""

    @property
    def execution(self) -> str | None:
        """ARN of the latest execution; None of a run that is queued."""
        return self.executions[-1] if self.executions else None

    @property
    def has_ended(self) -> bool:
        """Whether the status is final."""
        return self.status in ENDED


class RunRecords:
    """The runs of one environment."""

    def __init__(self, aws: Clients, table: str) -> None:
        self._client, self._table = aws.client("dynamodb"), table

    def run(self, dag_id: str, run_id: str) -> RunRecord | None:
        """One run, as it is now, or None."""
        key = {"pk": {"S": f"DAG#{dag_id}"}, "sk": {"S": f"RUN#{run_id}"}}
        with explained(_DOING):
            item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return _record(item) if item is not None else None

    def newest(
        self, dag_ids: Iterable[str], dag_id: str | None, limit: int, now: datetime
    ) -> list[RunRecord]:
        """The ``limit`` latest runs (of one DAG), newest first. ``dag_ids``: every deployed DAG."""
        found = list(islice(self._by_day(dag_id, now), limit))
        if len(found) < limit:
            known = {(record.dag_id, record.run_id) for record in found}
            for each in [dag_id] if dag_id is not None else dag_ids:
                found += [one for one in self._of_dag(each) if (one.dag_id, one.run_id) not in known]
            found.sort(key=lambda record: record.started_at or 0.0, reverse=True)
        return found[:limit]

    def beginning_with(self, dag_ids: Iterable[str], beginning: str) -> list[RunRecord]:
        """The runs whose id begins with ``beginning``, newest first; one with just this id comes alone."""
        with ThreadPoolExecutor(THREADS) as threads:
            of_each = threads.map(lambda dag: list(self._of_dag(dag, beginning)), dag_ids)
        found = [record for records in of_each for record in records]
        exact = [record for record in found if record.run_id == beginning]
        return exact or sorted(found, key=lambda record: record.started_at or 0.0, reverse=True)

    def inside(self, dag_ids: Iterable[str], run_id: str) -> list[RunRecord]:
        """The runs that tasks of a run are: their ids begin with its id and a dot."""
        found = self.beginning_with(dag_ids, f"{run_id}.")
        return sorted(found, key=lambda record: record.started_at or 0.0)

    def _by_day(self, dag_id: str | None, now: datetime) -> Iterator[RunRecord]:
        for back in range(DAYS):
            day = f"{(now.astimezone(UTC) - timedelta(days=back)):%Y-%m-%d}"
            wanted: dict[str, Any] = {
                "IndexName": "by_day",
                "KeyConditionExpression": "#day = :day",
                "ExpressionAttributeNames": {"#day": "day"},
                "ExpressionAttributeValues": {":day": {"S": day}},
                "ScanIndexForward": False,
            }
            if dag_id is not None:
                wanted["FilterExpression"] = "#dag = :dag"
                wanted["ExpressionAttributeNames"]["#dag"] = "dag"
                wanted["ExpressionAttributeValues"][":dag"] = {"S": dag_id}
            yield from self._query(wanted)

    def _of_dag(self, dag_id: str, beginning: str = "") -> Iterator[RunRecord]:
        yield from self._query(
            {
                "KeyConditionExpression": "pk = :dag AND begins_with(sk, :run)",
                "ExpressionAttributeValues": {
                    ":dag": {"S": f"DAG#{dag_id}"},
                    ":run": {"S": f"RUN#{beginning}"},
                },
            }
        )

    def _query(self, wanted: Mapping[str, Any]) -> Iterator[RunRecord]:
        begin: dict[str, Any] = {}
        while True:
            with explained(_DOING):
                page = self._client.query(TableName=self._table, **wanted, **begin)
            yield from map(_record, page.get("Items", []))
            if "LastEvaluatedKey" not in page:
                return
            begin = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _record(item: Mapping[str, Any]) -> RunRecord:
    said = {name: _plain(value) for name, value in item.items()}
    executions = [str(one) for one in said.get("executions") or [said.get("execution")] if one]
    return RunRecord(
        run_id=str(said["run_id"]),
        dag_id=str(said["dag"]),
        status=str(said["status"]),
        executions=tuple(executions),
        attempt=int(said.get("attempt", 1)),
        started_at=_seconds(said.get("started")),
        ended_at=_seconds(said.get("ended")),
        logical_date=said.get("logical_date"),
        params=_json(said.get("params")),
        trigger=_json(said.get("trigger")),
        error=str(said.get("error") or ""),
        failed=tuple(sorted(map(str, said.get("failed") or ()))),
        code_version=str(said.get("code_version") or ""),
    )


def _seconds(moment: Any) -> float | None:
    return datetime.fromisoformat(str(moment)).timestamp() if moment else None


def _json(text: Any) -> Any:
    return json.loads(str(text)) if text else None

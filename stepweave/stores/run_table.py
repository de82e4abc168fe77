"""`RunTable`: the runs of a deployed environment, in the records table (DynamoDB).

One item a run, ``pk = DAG#<dag>``, ``sk = RUN#<run id>``. Whoever learns of an execution says so, in any order and as
often as they like: the starter that began it, status events that come late, twice or never, and the reconciler. Of two
executions the one that began later counts; of one execution its furthest *phase*: how often it was redriven, then
whether it has ended. Status, times and error are the last of these that were told, so the item depends on what happened
and on nothing else.

Runs that have not ended have an item ``OPEN#<run id>`` besides, so that the reconciler finds those without reading all.
Their day is in the index ``by_day`` (``day``, ``started``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeAlias

from stepweave.stores.attributes import Item, Value, attributes, number, text, texts
from stepweave.stores.conditional_writes import wrote
from stepweave.stores.run_updates import IS_NEWS, Update, mark, moment, open_key, run_key

DeployedStatus: TypeAlias = Literal["queued", "running", "success", "failed", "cancelled", "timed_out"]

STATUS_OF: Mapping[str, DeployedStatus] = {
    "RUNNING": "running",
    "PENDING_REDRIVE": "running",
    "SUCCEEDED": "success",
    "FAILED": "failed",
    "TIMED_OUT": "timed_out",
    "ABORTED": "cancelled",
}
"""Status of a run by that of its execution."""
ENDED = frozenset({"success", "failed", "cancelled", "timed_out"})

INDEX = "by_day"
KEPT_DAYS = 400
"""How long a run is on record if nobody says otherwise: a year of runs can be compared with the one before."""
MAX_PARAMS_BYTES = 32 * 1024
"""Longest params that are on record; an item has at most 400 KB
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html)."""
_MAX_ERROR_CHARACTERS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionState:
    """What is known of an execution of a run at some moment. Times are milliseconds since the epoch."""

    dag: str
    run_id: str
    execution: str
    """Its ARN."""
    status: DeployedStatus
    started_ms: int
    ended_ms: int | None = None
    redrives: int = 0
    error: str = ""
    """Error and cause, for people; empty when there is none."""
    failed: frozenset[str] = frozenset()
    """Ids of the tasks with which a failure began."""

    @property
    def phase(self) -> int:
        """Greater than that of all that happened to this execution before."""
        return self.redrives * 2 + (self.status in ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known of a run when it is asked for."""

    params: str | None = None
    """JSON text; None when it is too long for the record."""
    logical_date: str | None = None
    trigger: str | None = None
    """JSON text: what started it."""
    by: str | None = None
    """Who started it, as far as that is known."""
    code_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedRun:
    """A run as it is on record. Times are ISO 8601 texts in UTC."""

    dag: str
    run_id: str
    status: DeployedStatus
    execution: str | None = None
    """ARN of the latest execution; None while the run has none."""
    executions: frozenset[str] = frozenset()
    """ARNs of all: the first, and one for each time that it was resumed."""
    queued: str | None = None
    started: str | None = None
    """When the latest execution began."""
    ended: str | None = None
    error: str = ""
    failed: frozenset[str] = frozenset()
    facts: RunFacts = RunFacts()
    phase: int = 0
    """Of the latest execution (:attr:`ExecutionState.phase`)."""
    is_handled: bool = False
    """Whether everybody was told of its end."""
    place: str | None = None
    """Key of the place in the queue; None when it is not queued."""

    @property
    def attempt(self) -> int:
        """How many executions it had."""
        return len(self.executions)

    @property
    def params(self) -> dict[str, Any] | None:
        """The params; None when they are not on record."""
        return None if self.facts.params is None else json.loads(self.facts.params)


class RunTable:
    """Runs in the records table.

    Args:
        client: A boto3 client of DynamoDB.
        table: Name of the table.
        kept_days: How long a run is on record, from its start.
    """

    __slots__ = ("_kept_seconds", "client", "table")

    def __init__(self, client: Any, table: str, kept_days: int = KEPT_DAYS) -> None:
        self.client = client
        self.table = table
        self._kept_seconds = kept_days * 86_400

    def get(self, dag: str, run_id: str) -> DeployedRun | None:
        """The run, as it is now; None when nothing is known of it."""
        found = self.client.get_item(TableName=self.table, Key=run_key(dag, run_id), ConsistentRead=True)
        return _run(found["Item"]) if "Item" in found else None

    def tell(self, state: ExecutionState, facts: RunFacts | None = None) -> bool:
        """Whether ``state`` is news. The execution and ``facts`` are noted in any case."""
        known = fact_values(facts or RunFacts())
        started = moment(state.started_ms)
        values: dict[str, Value] = {
            "status": state.status,
            "phase": state.phase,
            "began": state.started_ms,
            "execution": state.execution,
            "started": started,
            "day": started[:10],
            "expires": state.started_ms // 1000 + self._kept_seconds,
        }
        optional: dict[str, Value | None] = {
            "ended": moment(state.ended_ms) if state.ended_ms is not None else None,
            "error": state.error[:_MAX_ERROR_CHARACTERS] or None,
            "failed": state.failed or None,
            "place": None,
        }
        update = Update(state.dag, state.run_id, state.execution, known)
        update.set({**values, **{name: value for name, value in optional.items() if value is not None}})
        update.remove([name for name, value in optional.items() if value is None])
        if not self._wrote(**update.request(), ConditionExpression=IS_NEWS):
            self._wrote(**Update(state.dag, state.run_id, state.execution, known).request())
            return False
        self._note_open(state)
        return True

    def mark_handled(self, state: ExecutionState) -> None:
        """Note that everybody was told of this end, if it is still the latest."""
        self._wrote(
            Key=run_key(state.dag, state.run_id),
            UpdateExpression="SET handled = :mark",
            ConditionExpression="execution = :execution AND phase = :phase",
            ExpressionAttributeValues=attributes(
                {
                    ":mark": mark(state.execution, state.phase),
                    ":execution": state.execution,
                    ":phase": state.phase,
                }
            ),
        )

    def open_runs(self, dag: str) -> list[str]:
        """Ids of the runs that have begun and of whose end nothing is known."""
        items = self._query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues=attributes({":pk": f"DAG#{dag}", ":sk": "OPEN#"}),
        )
        return [str(text(item, "sk")).removeprefix("OPEN#") for item in items]

    def close(self, dag: str, run_id: str) -> None:
        """The run has ended."""
        self.client.delete_item(TableName=self.table, Key=open_key(dag, run_id))

    def recent(
        self, *, days: int, dag: str | None = None, today: date | None = None
    ) -> Iterator[DeployedRun]:
        """Runs that began on the last ``days`` days (UTC), of one DAG or of all, the latest first."""
        last = today or datetime.now(UTC).date()
        for before in range(days):
            day = (last - timedelta(days=before)).isoformat()
            asked: dict[str, Any] = {
                "IndexName": INDEX,
                "KeyConditionExpression": "#day = :day",
                "ExpressionAttributeNames": {"#day": "day"},
                "ExpressionAttributeValues": attributes({":day": day, **({":dag": dag} if dag else {})}),
                "ScanIndexForward": False,
            }
            if dag is not None:
                asked |= {"FilterExpression": "dag = :dag"}
            yield from map(_run, self._query(**asked))

    def beginning_with(self, dag: str, beginning: str = "") -> Iterator[DeployedRun]:
        """Runs of a DAG whose ids begin so, in the order of their ids."""
        asked = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
            "ExpressionAttributeValues": attributes({":pk": f"DAG#{dag}", ":sk": f"RUN#{beginning}"}),
        }
        yield from map(_run, self._query(**asked))

    def queued(self, dag: str) -> Iterator[DeployedRun]:
        """Runs that wait for others of their DAG to end, the one that waits longest first."""
        places = self._query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues=attributes({":pk": f"DAG#{dag}", ":sk": "QUEUE#"}),
        )
        for place in places:
            run = self.get(dag, str(text(place, "run_id")))
            if run is not None:
                yield run

    def _note_open(self, state: ExecutionState) -> None:
        if state.status in ENDED:
            self.close(state.dag, state.run_id)
            return
        expires = state.started_ms // 1000 + self._kept_seconds
        item = {**open_key(state.dag, state.run_id), **attributes({"expires": expires})}
        self.client.put_item(TableName=self.table, Item=item)

    def _wrote(self, **asked: Any) -> bool:
        return wrote(self.client, "update_item", TableName=self.table, **asked)

    def _query(self, **asked: Any) -> Iterator[Item]:
        while True:
            page = self.client.query(TableName=self.table, **asked)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def fact_values(facts: RunFacts) -> dict[str, Value]:
    """The facts that are known, by the attribute that holds them."""
    found = {
        "params": facts.params,
        "logical_date": facts.logical_date,
        "trigger": facts.trigger,
        "by": facts.by,
        "code_version": facts.code_version,
    }
    if facts.params is not None and len(facts.params.encode()) > MAX_PARAMS_BYTES:
        found["params"] = None
    return {name: value for name, value in found.items() if value is not None}


def _run(item: Item) -> DeployedRun:
    status: Any = text(item, "status") or "queued"
    execution, phase = text(item, "execution"), number(item, "phase") or 0
    return DeployedRun(
        dag=str(text(item, "dag")),
        run_id=str(text(item, "run_id")),
        status=status,
        execution=execution,
        executions=texts(item, "executions"),
        queued=text(item, "queued"),
        started=text(item, "started"),
        ended=text(item, "ended"),
        error=text(item, "error") or "",
        failed=texts(item, "failed"),
        facts=RunFacts(
            params=text(item, "params"),
            logical_date=text(item, "logical_date"),
            trigger=text(item, "trigger"),
            by=text(item, "by"),
            code_version=text(item, "code_version"),
        ),
        phase=phase,
        is_handled=text(item, "handled") == mark(execution or "", phase),
        place=text(item, "place"),
    )

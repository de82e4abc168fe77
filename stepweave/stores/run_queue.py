"""`RunQueue`: at most so many runs of a DAG at once, and the others in the order in which they were asked for.

Two kinds of items of the records table, both with ``pk = DAG#<dag>``:

    SLOTS                     active: names of executions that have a slot; t#<name>: since when, seconds
    QUEUE#<moment>#<run id>   run_id, request: JSON text with which it is started later

Every change is one conditional write, so that starters side by side never give away a slot twice. A slot belongs to an
execution, not to a run: the late news of an end cannot free the slot of the resumed run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepweave.stores.attributes import Value, attribute, attributes, is_refused, number, text, texts
from stepweave.stores.run_table import KEPT_DAYS, RunFacts, fact_values
from stepweave.stores.run_updates import moment, run_key

_SINCE = "t#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A run in the queue."""

    dag: str
    run_id: str
    place: str
    """Its sort key."""
    request: str
    """JSON text."""
    since_ms: int


class RunQueue:
    """Slots and queue of DAGs with ``max_active_runs``.

    Args:
        client: A boto3 client of DynamoDB.
        table: Name of the records table.
        kept_days: How long a run is on record.
    """

    __slots__ = ("_client", "_kept_seconds", "_table")

    def __init__(self, client: Any, table: str, kept_days: int = KEPT_DAYS) -> None:
        self._kept_seconds = kept_days * 86_400
        self._client = client
        self._table = table

    def take(self, dag: str, execution: str, most: int, now_ms: int) -> bool:
        """Whether ``execution`` (a name) has one of ``most`` slots now; it may have had it before."""
        return self._wrote(
            Key=_slots_key(dag),
            UpdateExpression="ADD active :names SET #since = :now",
            ConditionExpression="attribute_not_exists(active) OR size(active) < :most OR contains(active, :name)",
            ExpressionAttributeNames={"#since": _SINCE + execution},
            ExpressionAttributeValues=attributes(
                {":names": {execution}, ":name": execution, ":most": most, ":now": now_ms // 1000}
            ),
        )

    def free(self, dag: str, execution: str) -> bool:
        """Whether the DAG has slots at all; ``execution`` has none any more."""
        return self._wrote(
            Key=_slots_key(dag),
            UpdateExpression="DELETE active :names REMOVE #since",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#since": _SINCE + execution},
            ExpressionAttributeValues={":names": attribute({execution})},
        )

    def active(self, dag: str) -> dict[str, int]:
        """Names of the executions that have slots, and since when, in seconds since the epoch."""
        found = self._client.get_item(TableName=self._table, Key=_slots_key(dag), ConsistentRead=True)
        item = found.get("Item", {})
        return {name: number(item, _SINCE + name) or 0 for name in sorted(texts(item, "active"))}

    def enqueue(self, dag: str, run_id: str, request: str, facts: RunFacts, now_ms: int) -> bool:
        """Whether the run is in the queue now and was not before."""
        place = f"QUEUE#{moment(now_ms)}#{run_id}"
        expires = now_ms // 1000 + self._kept_seconds
        waiting = {
            **attributes({"pk": f"DAG#{dag}", "sk": place}),
            **attributes({"run_id": run_id, "request": request, "since": now_ms, "expires": expires}),
        }
        values: dict[str, Value] = {
            "dag": dag,
            "run_id": run_id,
            "status": "queued",
            "queued": moment(now_ms),
            "place": place,
            "expires": expires,
        }
        if_new: dict[str, Value] = {
            **fact_values(facts),
            "started": moment(now_ms),
            "day": moment(now_ms)[:10],
        }
        sets = [f"#{name} = :{name}" for name in values]
        sets += [f"#{name} = if_not_exists(#{name}, :{name})" for name in if_new]
        known: dict[str, Value] = {**values, **if_new}
        record = {
            "Key": run_key(dag, run_id),
            "UpdateExpression": "SET " + ", ".join(sets),
            "ConditionExpression": "attribute_not_exists(#place)",
            "ExpressionAttributeNames": {f"#{name}": name for name in known},
            "ExpressionAttributeValues": {f":{name}": attribute(value) for name, value in known.items()},
        }
        return self._both({"Put": {"Item": waiting}}, {"Update": record})

    def first(self, dag: str) -> Waiting | None:
        """The run that waits longest; None when none does."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues=attributes({":pk": f"DAG#{dag}", ":sk": "QUEUE#"}),
            ConsistentRead=True,
            Limit=1,
        )["Items"]
        if not found:
            return None
        item = found[0]
        return Waiting(
            dag=dag,
            run_id=str(text(item, "run_id")),
            place=str(text(item, "sk")),
            request=str(text(item, "request")),
            since_ms=number(item, "since") or 0,
        )

    def leave(self, waiting: Waiting) -> None:
        """The run has been started, and waits no more."""
        key = attributes({"pk": f"DAG#{waiting.dag}", "sk": waiting.place})
        self._client.delete_item(TableName=self._table, Key=key)

    def withdraw(self, dag: str, run_id: str, place: str, now_ms: int) -> bool:
        """Whether a queued run is cancelled now; False when it was started meanwhile."""
        key = attributes({"pk": f"DAG#{dag}", "sk": place})
        record = {
            "Key": run_key(dag, run_id),
            "UpdateExpression": "SET #status = :status, #ended = :ended REMOVE #place",
            "ConditionExpression": "#place = :place",
            "ExpressionAttributeNames": {"#status": "status", "#ended": "ended", "#place": "place"},
            "ExpressionAttributeValues": attributes(
                {":status": "cancelled", ":ended": moment(now_ms), ":place": place}
            ),
        }
        gone = {"Key": key, "ConditionExpression": "attribute_exists(pk)"}
        return self._both({"Delete": gone}, {"Update": record})

    def _wrote(self, **asked: Any) -> bool:
        try:
            self._client.update_item(TableName=self._table, **asked)
        except self._client.exceptions.ClientError as error:
            if not is_refused(error):
                raise
            return False
        return True

    def _both(self, *writes: dict[str, Any]) -> bool:
        """Whether both writes were made; else none was, since a condition did not hold."""
        named = [{kind: {**asked, "TableName": self._table}} for w in writes for kind, asked in w.items()]
        try:
            self._client.transact_write_items(TransactItems=named)
        except self._client.exceptions.ClientError as error:
            if not _condition_failed(error):
                raise
            return False
        return True


def _condition_failed(error: Any) -> bool:
    """Whether a transaction was cancelled by a condition, and not by a conflict with another one."""
    reasons = error.response.get("CancellationReasons", [])
    return is_refused(error) and any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)


def _slots_key(dag: str) -> dict[str, Any]:
    return attributes({"pk": f"DAG#{dag}", "sk": "SLOTS"})

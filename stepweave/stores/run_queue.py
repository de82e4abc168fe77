"""`RunQueue`: at most so many runs of a DAG at once, and the others in the order in which they were asked for.

Two kinds of items of the records table, both with ``pk = DAG#<dag>``:

    SLOTS                         active: names of executions that have a slot; t#<name>: since when, seconds
    QUEUE#<moment>#<execution>    run_id, request: JSON text with which it is started; claims: who is starting it

Who starts a queued run claims it first, and what is claimed cannot be withdrawn; a claim is given up only by one who
knows that nothing was started. So a run that was withdrawn never begins, and a run that began was not withdrawn,
whatever dies in between. Who dies leaves a claim behind: others claim the run besides, and start it.

A slot belongs to an execution, not to a run: the late news of an end cannot free the slot of the resumed run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from stepweave.stores.attributes import Value, attributes, number, text, texts
from stepweave.stores.conditional_writes import wrote
from stepweave.stores.run_table import KEPT_DAYS, DeployedRun, RunFacts, fact_values
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

    @property
    def execution(self) -> str:
        """Name of the execution that it becomes."""
        return _execution_of(self.place)


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

    def claim(self, waiting: Waiting, most: int | None, now_ms: int) -> str | None:
        """The claim of whoever may start the run now, which has one of ``most`` slots from now on.

        None when all slots are taken, or the run waits no more. Several may have a claim: to start an execution twice
        changes nothing.
        """
        # A look before: when many are asked for at once, transactions on the same items would meet one another.
        active = self.active(waiting.dag)
        if most is not None and len(active) >= most and waiting.execution not in active:
            return None
        claim = uuid4().hex
        claimed = {
            "Key": _place_key(waiting.dag, waiting.place),
            "UpdateExpression": "ADD claims :claims",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": attributes({":claims": {claim}}),
        }
        slot = {
            "Key": _slots_key(waiting.dag),
            "UpdateExpression": "ADD active :names SET #since = :now",
            "ConditionExpression": "attribute_not_exists(active) OR size(active) < :most OR contains(active, :name)",
            "ExpressionAttributeNames": {"#since": _SINCE + waiting.execution},
            "ExpressionAttributeValues": attributes(
                {
                    ":names": {waiting.execution},
                    ":name": waiting.execution,
                    ":most": most or 0,
                    ":now": now_ms // 1000,
                }
            ),
        }
        slots = [] if most is None else [{"Update": slot}]
        return claim if self._all_of({"Update": claimed}, *slots) else None

    def give_up(self, waiting: Waiting, claim: str) -> None:
        """Whoever has this claim knows that it started nothing. The run keeps its slot: it is the next to begin."""
        self._wrote(
            Key=_place_key(waiting.dag, waiting.place),
            UpdateExpression="DELETE claims :claims",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues=attributes({":claims": {claim}}),
        )

    def free(self, dag: str, execution: str) -> bool:
        """Whether the DAG has slots at all; ``execution`` has none any more."""
        return self._wrote(
            Key=_slots_key(dag), ConditionExpression="attribute_exists(pk)", **_freed(execution)
        )

    def active(self, dag: str) -> dict[str, int]:
        """Names of the executions that have slots, and since when, in seconds since the epoch."""
        found = self._client.get_item(TableName=self._table, Key=_slots_key(dag), ConsistentRead=True)
        item = found.get("Item", {})
        return {name: number(item, _SINCE + name) or 0 for name in sorted(texts(item, "active"))}

    def enqueue(
        self,
        dag: str,
        run_id: str,
        request: str,
        facts: RunFacts,
        now_ms: int,
        *,
        execution: str | None = None,
        seen: DeployedRun | None = None,
    ) -> bool:
        """Whether the run is in the queue now; False when its record is not the one that was ``seen`` any more.

        ``execution``: the name that it becomes, if not the run's id; ``seen``: None when there was no record.
        """
        place = f"QUEUE#{moment(now_ms)}#{execution or run_id}"
        expires = now_ms // 1000 + self._kept_seconds
        waiting = {
            **_place_key(dag, place),
            **attributes({"run_id": run_id, "request": request, "expires": expires}),
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
        condition, compared = _as_seen(seen)
        known: dict[str, Value] = {**values, **if_new}
        record = {
            "Key": run_key(dag, run_id),
            "UpdateExpression": "SET " + ", ".join(sets),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in known},
            "ExpressionAttributeValues": attributes(
                {**{f":{name}": value for name, value in known.items()}, **compared}
            ),
        }
        return self._all_of({"Put": {"Item": waiting}}, {"Update": record})

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
        )

    def leave(self, waiting: Waiting) -> None:
        """The run has been started, and waits no more."""
        self._client.delete_item(TableName=self._table, Key=_place_key(waiting.dag, waiting.place))

    def withdraw(self, dag: str, run_id: str, place: str, now_ms: int) -> bool:
        """Whether a queued run is cancelled now, and never begins; False when it has begun, or is just beginning."""
        gone = {
            "Key": _place_key(dag, place),
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(claims)",
        }
        record = {
            "Key": run_key(dag, run_id),
            "UpdateExpression": "SET #status = :status, #ended = :ended REMOVE #place",
            "ConditionExpression": "#place = :place",
            "ExpressionAttributeNames": {"#status": "status", "#ended": "ended", "#place": "place"},
            "ExpressionAttributeValues": attributes(
                {":status": "cancelled", ":ended": moment(now_ms), ":place": place}
            ),
        }
        # It has one if Step Functions refused to start it.
        slot = {"Key": _slots_key(dag), **_freed(_execution_of(place))}
        return self._all_of({"Delete": gone}, {"Update": record}, {"Update": slot})

    def _wrote(self, **asked: Any) -> bool:
        return wrote(self._client, "update_item", TableName=self._table, **asked)

    def _all_of(self, *writes: dict[str, Any]) -> bool:
        """Whether these writes were made; else none was, since a condition did not hold."""
        named = [{kind: {**asked, "TableName": self._table}} for w in writes for kind, asked in w.items()]
        return wrote(self._client, "transact_write_items", TransactItems=named)


def _as_seen(run: DeployedRun | None) -> tuple[str, dict[str, Value]]:
    """The condition under which the record of a run that waits for nothing is still this one, and its values."""
    if run is None:
        return "attribute_not_exists(pk)", {}
    conditions, values = (
        ["attribute_not_exists(#place)", "#status = :seen_status"],
        {":seen_status": run.status},
    )
    if run.ended is None:
        return " AND ".join([*conditions, "attribute_not_exists(ended)"]), dict(values)
    return " AND ".join([*conditions, "ended = :seen_ended"]), {**values, ":seen_ended": run.ended}


def _freed(execution: str) -> dict[str, Any]:
    """The change of the item of slots after which ``execution`` has none."""
    return {
        "UpdateExpression": "DELETE active :names REMOVE #since",
        "ExpressionAttributeNames": {"#since": _SINCE + execution},
        "ExpressionAttributeValues": attributes({":names": {execution}}),
    }


def _execution_of(place: str) -> str:
    return place.split("#", 2)[2]


def _place_key(dag: str, place: str) -> dict[str, Any]:
    return attributes({"pk": f"DAG#{dag}", "sk": place})


def _slots_key(dag: str) -> dict[str, Any]:
    return attributes({"pk": f"DAG#{dag}", "sk": "SLOTS"})

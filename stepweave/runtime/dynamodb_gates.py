"""`DynamoDbGates` and `StepFunctionsTokens`: gates and task tokens in AWS, for the rendezvous function.

A gate is one item of the records table, ``{pk: "GATE#<execution>#<gate>", sk: "GATE", token, awaited, strict, expires,
"a#<task>": record…}``. Arrivals are attributes of their own, since ``if_not_exists`` on an attribute makes one update
both idempotent and atomic
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html). An item has at
most 400 KB, a payload at most 256 KiB, so the records of a gate always fit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from stepweave.runtime.events import Json
from stepweave.runtime.rendezvous import Gate

_ARRIVAL = "a#"
_LIFETIME_SECONDS = 366 * 24 * 3600  # a standard execution lasts at most one year
_DONE = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class DynamoDbGates:
    """Gates in a DynamoDB table with the string keys ``pk`` and ``sk``, and time to live on ``expires``.

    Args:
        client: A boto3 client of DynamoDB.
        table: Name of the table.
    """

    __slots__ = ("_client", "_table")

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def wait(self, run: str, gate: str, waiting: Gate) -> Gate:
        """The gate, now with a token; a later token replaces an earlier one."""
        values = {
            "token": {"S": waiting.token},
            "awaited": {"L": [{"S": task} for task in waiting.awaited]},
            "strict": {"BOOL": waiting.strict},
            "early": {"L": [{"S": task} for task in waiting.early]},
            "rule": {"S": waiting.rule},
        }
        return self._update(
            run,
            gate,
            [f"#{name} = :{name}" for name in values],
            {f"#{name}": name for name in values},
            {f":{name}": value for name, value in values.items()},
        )

    def arrive(self, run: str, gate: str, records: Mapping[str, Json]) -> Gate:
        """The gate, now with these arrivals, except for tasks that had arrived before."""
        changes, names, values = [], {}, {}
        for index, (task, record) in enumerate(records.items()):
            changes.append(f"#t{index} = if_not_exists(#t{index}, :r{index})")
            names[f"#t{index}"] = f"{_ARRIVAL}{task}"
            # As text: DynamoDB rounds numbers to 38 digits, and a record goes back as it came.
            values[f":r{index}"] = {"S": json.dumps(record)}
        return self._update(run, gate, changes, names, values)

    def _update(
        self, run: str, gate: str, changes: list[str], names: dict[str, str], values: dict[str, Any]
    ) -> Gate:
        answer = self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"GATE#{run}#{gate}"}, "sk": {"S": "GATE"}},
            UpdateExpression="SET " + ", ".join([*changes, "#expires = :expires"]),
            ExpressionAttributeNames={**names, "#expires": "expires"},
            ExpressionAttributeValues={
                **values,
                ":expires": {"N": str(int(time.time()) + _LIFETIME_SECONDS)},
            },
            ReturnValues="ALL_NEW",
        )
        return _gate(answer["Attributes"])


class StepFunctionsTokens:
    """Task tokens of Step Functions.

    Args:
        client: A boto3 client of Step Functions.
    """

    __slots__ = ("_client",)

    def __init__(self, client: Any) -> None:
        self._client = client

    def send_success(self, token: str, output: str) -> None:
        """End the state with ``output``, a JSON text; nothing happens when it has ended already."""
        try:
            self._client.send_task_success(taskToken=token, output=output)
        except self._client.exceptions.ClientError as error:
            _raise_unless_done(error)

    def send_failure(self, token: str, error: str, cause: str) -> None:
        """End the state with an error; nothing happens when it has ended already."""
        try:
            self._client.send_task_failure(taskToken=token, error=error, cause=cause)
        except self._client.exceptions.ClientError as failure:
            _raise_unless_done(failure)


def _gate(item: Mapping[str, Any]) -> Gate:
    return Gate(
        arrivals={
            name.removeprefix(_ARRIVAL): json.loads(value["S"])
            for name, value in item.items()
            if name.startswith(_ARRIVAL)
        },
        token=item["token"]["S"] if "token" in item else None,
        awaited=tuple(task["S"] for task in item["awaited"]["L"]) if "awaited" in item else (),
        strict=item["strict"]["BOOL"] if "strict" in item else False,
        early=tuple(task["S"] for task in item["early"]["L"]) if "early" in item else (),
        rule=item["rule"]["S"] if "rule" in item else "",
    )


def _raise_unless_done(error: Any) -> None:
    # The token was answered by whoever else saw the gate complete, or its execution has ended.
    if error.response["Error"]["Code"] not in _DONE:
        raise error

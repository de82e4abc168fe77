"""Keys of runs in the records table, and the one update by which a run's item changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stepweave.stores.attributes import Value, attribute, attributes

IS_NEWS = (
    "attribute_not_exists(#execution) OR (#execution = :execution AND #phase < :phase) "
    "OR (#execution <> :execution AND #began < :began) "
    "OR (#execution < :execution AND #began = :began)"
)
"""Condition under which what is told of an execution is later than what is on record. Of two that began in the same
millisecond any will do, if only it is always the same."""


class Update:
    """An update of a run's item: who it is, one more execution, and the facts that are not there yet."""

    def __init__(self, dag: str, run_id: str, execution: str, facts: Mapping[str, Value]) -> None:
        self._key = run_key(dag, run_id)
        self._values: dict[str, Value] = {"dag": dag, "run_id": run_id}
        self._sets = [f"#{name} = :{name}" for name in self._values]
        self._removed: list[str] = []
        for name, value in facts.items():
            self._sets.append(f"#{name} = if_not_exists(#{name}, :{name})")
            self._values[name] = value
        self._execution = execution

    def set(self, values: Mapping[str, Value]) -> None:
        """Attributes that get these values."""
        self._sets += [f"#{name} = :{name}" for name in values]
        self._values |= values

    def remove(self, names: list[str]) -> None:
        """Attributes that go."""
        self._removed += names

    def request(self) -> dict[str, Any]:
        """The arguments of UpdateItem."""
        expression = "SET " + ", ".join(self._sets) + " ADD #executions :executions"
        if self._removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in self._removed)
        values: dict[str, Value] = {**self._values, "executions": {self._execution}}
        return {
            "Key": self._key,
            "UpdateExpression": expression,
            "ExpressionAttributeNames": {f"#{name}": name for name in (*values, *self._removed)},
            "ExpressionAttributeValues": {f":{name}": attribute(value) for name, value in values.items()},
        }


def run_key(dag: str, run_id: str) -> dict[str, Any]:
    """Key of the item of a run."""
    return attributes({"pk": f"DAG#{dag}", "sk": f"RUN#{run_id}"})


def open_key(dag: str, run_id: str) -> dict[str, Any]:
    """Key of the item that a run has until it has ended."""
    return attributes({"pk": f"DAG#{dag}", "sk": f"OPEN#{run_id}"})


def mark(execution: str, phase: int) -> str:
    """What is noted of an end that everybody was told of."""
    return f"{execution}#{phase}"


def moment(milliseconds: int) -> str:
    """ISO 8601 text in UTC.

    >>> moment(1_500)
    '1970-01-01T00:00:01.500+00:00'
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")

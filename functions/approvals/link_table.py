"""`LinkTable`: what a link is for, and whether it was used. An item of the records table: ``LINK#<id>``, ``LINK``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions.approvals.links import Link
from stepweave.stores.attributes import Value, attributes, text
from stepweave.stores.conditional_writes import wrote

_KEPT_SECONDS = 30 * 86_400
"""How long a link that has expired is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The question that a link is for: that of one task run in one execution, as it was worded then."""

    dag: str
    run: str
    task: str
    index: str
    execution: str
    digest: str
    """Of the message."""

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Target:
        """The question that is asked now."""
        run = asked["run"]
        return cls(
            dag=run["dag"],
            run=run["id"],
            task=asked["task"],
            index=run.get("index", ""),
            execution=asked["execution"],
            digest=asked["digest"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLink:
    """A link that was given out."""

    link: Link
    target: Target
    is_used: bool


class LinkTable:
    """Links in the records table.

    Args:
        client: A boto3 client of DynamoDB.
        table: Name of the table.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, link: Link, target: Target) -> None:
        """Note what ``link`` is for."""
        values: dict[str, Value] = {
            "target": json.dumps(asdict(target)),
            "expires": link.expires + _KEPT_SECONDS,
        }
        self._client.put_item(TableName=self._table, Item={**_key(link), **attributes(values)})

    def find(self, link: Link) -> KnownLink | None:
        """What is known of the link; None when nothing is."""
        found = self._client.get_item(TableName=self._table, Key=_key(link), ConsistentRead=True)
        item = found.get("Item")
        if item is None:
            return None
        target = Target(**json.loads(text(item, "target") or "{}"))
        return KnownLink(link=link, target=target, is_used="used" in item)

    def use(self, link: Link, answer: str) -> bool:
        """Whether ``answer`` is what the link is used for: the first one, or the same one sent again."""
        return wrote(
            self._client,
            "update_item",
            TableName=self._table,
            Key=_key(link),
            UpdateExpression="SET used = :answer",
            ConditionExpression="attribute_exists(pk) AND (attribute_not_exists(used) OR used = :answer)",
            ExpressionAttributeValues=attributes({":answer": answer}),
        )


def _key(link: Link) -> dict[str, Any]:
    return attributes({"pk": f"LINK#{link.id}", "sk": "LINK"})

"""Clients of AWS that note what IAM is asked when they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from infra.arns import Arns
from tests.functions.environment_fakes import TABLE
from tests.infra.dags.iam import Request

ARNS = Arns(env="dev", region="eu-central-1", account="123456789012")
INSIDE = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
"""Part of a transaction → what IAM asks for."""

Noted = dict[tuple[str, str, str], Request]


class Noting:
    """A client whose calls are noted as the requests that IAM sees."""

    def __init__(self, client: Any, requests: Callable[[str, Any], Iterator[Request]], noted: Noted) -> None:
        self._client, self._requests, self._noted = client, requests, noted

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name == "exceptions":
            return found

        def called(**arguments: Any) -> Any:
            for one in self._requests(name, arguments):
                self._noted[one.action, one.resource, str(one.context)] = one
            return found(**arguments)

        return called


def table_requests(name: str, arguments: Any) -> Iterator[Request]:
    if name == "transact_write_items":
        for one in arguments["TransactItems"]:
            ((kind, inside),) = one.items()
            yield item_request(INSIDE[kind], inside)
    else:
        yield item_request("".join(part.capitalize() for part in name.split("_")), arguments)


def item_request(action: str, arguments: Any) -> Request:
    assert arguments["TableName"] == TABLE
    assert "IndexName" not in arguments
    item = arguments.get("Key") or arguments.get("Item")
    key = item["pk"]["S"] if item else arguments["ExpressionAttributeValues"][":pk"]["S"]
    return Request(f"dynamodb:{action}", ARNS.table(), {"dynamodb:LeadingKeys": (key,)})

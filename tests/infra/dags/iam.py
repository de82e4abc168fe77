"""A small evaluator of IAM policies, written apart from the code that makes them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """What somebody asks to do."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} {dict(self.context) or ''}"


def allows(policy: Mapping[str, Any], request: Request) -> bool:
    """Whether a statement of ``policy`` allows ``request``; there are no denials in ours."""
    return any(
        statement["Effect"] == "Allow"
        and any(_like(action, request.action) for action in statement["Action"])
        and any(_like(resource, request.resource) for resource in statement["Resource"])
        and all(
            _holds(operator, key, values, request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        for statement in policy["Statement"]
    )


def without_each(policy: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The policy without one action on one resource under one value of its condition, for each that it allows."""
    for number, statement in enumerate(policy["Statement"]):
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield f"{action} on {resource}", _split(policy, number, action, resource)


def _split(policy: Mapping[str, Any], number: int, action: str, resource: str) -> dict[str, Any]:
    statements = list(policy["Statement"])
    cut = statements.pop(number)
    others = [one for one in cut["Action"] if one != action]
    elsewhere = [one for one in cut["Resource"] if one != resource]
    statements += [{**cut, "Action": others}, {**cut, "Action": [action], "Resource": elsewhere}]
    return {**policy, "Statement": statements}


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.S) is not None


def _holds(operator: str, key: str, values: Sequence[str], context: Mapping[str, Sequence[str]]) -> bool:
    given = context.get(key, ())
    match operator:
        case "StringEquals":
            return any(one in values for one in given)
        case "StringLike":
            return any(_like(value, one) for value in values for one in given)
        case "StringLikeIfExists":
            return key not in context or any(_like(value, one) for value in values for one in given)
        case "ForAllValues:StringLike":
            return all(any(_like(value, one) for value in values) for one in given)
        case "ForAllValues:StringEquals":
            return all(one in values for one in given)
    raise AssertionError(f"the evaluator does not know {operator}")

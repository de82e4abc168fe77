"""`Need`: one action on one resource, and who needs it; `statements` packs needs into an IAM policy.

Needs are collected state by state and task by task (:mod:`infra.dags.policies`, :mod:`infra.dags.task_needs`), so that
every permission of a role can be traced to what asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

Condition: TypeAlias = tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]
"""Operator → key → values, as in IAM, in hashable form: ``(("StringLike", (("s3:prefix", ("a/*",)),)),)``."""

ANY = "*"
"""The resource of actions that know none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """An action on a resource."""

    action: str
    resource: str
    by: str
    """Who needs it: ``state 'train'``, ``task 'load'``, ``logging``."""
    condition: Condition = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement of an IAM policy that allows something."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Condition = ()
    by: tuple[str, ...]
    """Who needs it."""

    def to_json(self) -> dict[str, Any]:
        """The statement as a policy document has it."""
        found: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.condition:
            found["Condition"] = {
                operator: {key: list(values) for key, values in keys} for operator, keys in self.condition
            }
        return found


def statements(needs: Iterable[Need]) -> tuple[Statement, ...]:
    """The fewest statements that allow ``needs`` and nothing else, in a stable order.

    >>> [one.actions for one in statements(Need(action=a, resource="r", by="x") for a in ("s:B", "s:A"))]
    [('s:A', 's:B')]
    """
    by_resource: dict[tuple[str, Condition], dict[str, dict[str, None]]] = {}
    for need in needs:
        actions = by_resource.setdefault((need.resource, need.condition), {})
        actions.setdefault(need.action, {})[need.by] = None
    groups: dict[tuple[tuple[str, ...], Condition], list[tuple[str, dict[str, dict[str, None]]]]] = {}
    for (resource, condition), found in by_resource.items():
        groups.setdefault((tuple(sorted(found)), condition), []).append((resource, found))
    packed = [
        Statement(
            actions=actions,
            resources=tuple(sorted(resource for resource, _ in members)),
            condition=condition,
            by=tuple(sorted({who for _, found in members for users in found.values() for who in users})),
        )
        for (actions, condition), members in groups.items()
    ]
    return tuple(sorted(_alternatives(packed), key=lambda one: (one.actions, one.resources, one.condition)))


def _alternatives(packed: Iterable[Statement]) -> Iterator[Statement]:
    """``packed`` with statements that differ in the values of one condition put together: IAM takes any of them."""
    alike: dict[tuple[object, ...], Statement] = {}
    for one in packed:
        key = (one.actions, one.resources, _tested(one.condition))
        known = alike.get(key)
        alike[key] = one if known is None else _either(known, one)
    yield from alike.values()


def _tested(condition: Condition) -> Condition | tuple[str, str]:
    """Operator and key of a condition of one key, else the condition itself."""
    match condition:
        case ((operator, ((key, _),)),):
            return operator, key
    return condition


def _either(one: Statement, other: Statement) -> Statement:
    if not one.condition:
        return replace(one, by=tuple(sorted({*one.by, *other.by})))
    ((operator, ((key, values),)),) = one.condition
    ((_, ((_, more),)),) = other.condition
    return replace(
        one,
        condition=only_if(operator, key, *sorted({*values, *more})),
        by=tuple(sorted({*one.by, *other.by})),
    )


def document(allowed: Sequence[Statement]) -> dict[str, Any]:
    """The policy document of ``allowed``."""
    return {"Version": "2012-10-17", "Statement": [one.to_json() for one in allowed]}


def below_prefix(prefix: str) -> Condition:
    """The condition of a permission to list: keys that begin so, and asking whether an object is there.

    S3 tells that an object is missing only to who may list the bucket, else it is 403
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html), and that question has no ``s3:prefix``. So
    the condition holds where there is none, too; names of objects can then be listed, but not read.
    """
    return only_if("StringLikeIfExists", "s3:prefix", prefix)


def only_if(operator: str, key: str, *values: str) -> Condition:
    """A condition of one key.

    >>> only_if("StringLike", "s3:prefix", "runs/*")
    (('StringLike', (('s3:prefix', ('runs/*',)),)),)
    """
    return ((operator, ((key, values),)),)

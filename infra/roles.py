"""`service_role`: a role that one service takes, with the permissions that were found to be needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from aws_cdk import aws_iam
from constructs import Construct

from infra.needs import Condition, Need, Statement, document, statements

MAX_INLINE = 9_000
"""Characters of a role's inline policies together; IAM's limit of 10,240 counts the values of tokens, which we estimate
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""
MAX_MANAGED = 5_500
"""Characters of a managed policy, of which IAM takes 6,144; a role may have ten."""
MOST_MANAGED = 10


def service_role(
    scope: Construct, id: str, *, service: str, needs: Iterable[Need], description: str, only: Condition = ()
) -> aws_iam.CfnRole:
    """A role for ``service`` (``lambda.amazonaws.com``), on the condition ``only``, that allows ``needs``."""
    allowed = statements(needs)
    inline = _length(allowed) <= MAX_INLINE
    managed = [] if inline else _managed(scope, id, allowed)
    return aws_iam.CfnRole(
        scope,
        id,
        description=description,
        assume_role_policy_document=trust(service, only),
        policies=[aws_iam.CfnRole.PolicyProperty(policy_name="needed", policy_document=document(allowed))]
        if inline
        else None,
        managed_policy_arns=[policy.ref for policy in managed] or None,
    )


def trust(service: str, only: Condition = ()) -> dict[str, object]:
    """The policy by which ``service`` may take a role."""
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if only:
        statement["Condition"] = {
            operator: {key: list(values) for key, values in keys} for operator, keys in only
        }
    return {"Version": "2012-10-17", "Statement": [statement]}


def of_account(account: str, *patterns: str) -> Condition:
    """The condition that a service acts for this account, and for something with an ARN like one of ``patterns``
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
    """
    return (
        ("ArnLike", (("aws:SourceArn", patterns),)),
        ("StringEquals", (("aws:SourceAccount", (account,)),)),
    )


def chunks(allowed: Iterable[Statement], limit: int = MAX_MANAGED) -> Iterator[tuple[Statement, ...]]:
    """Statements in groups of at most ``limit`` characters; one that is too long is cut by its resources."""
    group: list[Statement] = []
    pending = list(allowed)[::-1]
    while pending:
        one = pending.pop()
        if _length([one]) > limit and len(one.resources) > 1:
            half = len(one.resources) // 2
            pending += [
                replace(one, resources=one.resources[half:]),
                replace(one, resources=one.resources[:half]),
            ]
        elif group and _length([*group, one]) > limit:
            yield tuple(group)
            group = [one]
        else:
            group.append(one)
    if group:
        yield tuple(group)


def _managed(scope: Construct, id: str, allowed: Sequence[Statement]) -> list[aws_iam.CfnManagedPolicy]:
    groups = list(chunks(allowed))
    if len(groups) > MOST_MANAGED:
        raise ValueError(f"role {id} needs {len(groups)} policies; IAM takes {MOST_MANAGED}: split the DAG")
    return [
        aws_iam.CfnManagedPolicy(scope, f"{id}Policy{number}", policy_document=document(group))
        for number, group in enumerate(groups)
    ]


def _length(allowed: Sequence[Statement]) -> int:
    return len(json.dumps(document(allowed), separators=(",", ":")))

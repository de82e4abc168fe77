"""Needs are packed into few statements that allow the same."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from infra.needs import Need, below_prefix, document, statements
from infra.roles import MAX_MANAGED, chunks
from tests.infra.dags.iam import Request, allows

PREFIXES = ("a/*", "b/*")
needs = st.lists(
    st.builds(
        Need,
        action=st.sampled_from(["s3:Get", "s3:Put", "s3:List"]),
        resource=st.sampled_from(["arn:1", "arn:2", "arn:3"]),
        by=st.sampled_from(["x", "y"]),
        condition=st.sampled_from([(), *(below_prefix(one) for one in PREFIXES)]),
    ),
    max_size=12,
)


@given(needs)
def test_packing_changes_nothing_of_what_is_allowed(found: list[Need]) -> None:
    packed = document(statements(found))
    for action in ("s3:Get", "s3:Put", "s3:List"):
        for resource in ("arn:1", "arn:2", "arn:3"):
            for prefix in ("a/1", "b/1", "c/1"):
                request = Request(action, resource, {"s3:prefix": (prefix,)})
                one_by_one = any(
                    need.action == action
                    and need.resource == resource
                    and (not need.condition or need.condition[0][1][0][1][0][0] == prefix[0])
                    for need in found
                )
                assert allows(packed, request) is one_by_one


@given(needs)
def test_the_same_needs_give_the_same_statements_in_any_order(found: list[Need]) -> None:
    assert statements(found) == statements(found[::-1])


def test_a_statement_says_who_needs_it() -> None:
    (one,) = statements(
        [Need(action="a:B", resource="r", by="state 'x'"), Need(action="a:C", resource="r", by="y")]
    )
    assert one.by == ("state 'x'", "y")


def test_a_large_policy_is_cut_into_parts_that_allow_the_same() -> None:
    many = [
        Need(action="batch:SubmitJob", resource=f"arn:aws:batch:job/{n:0>100}", by="x") for n in range(200)
    ]
    whole = statements(many)
    parts = list(chunks(whole))
    assert len(whole) == 1
    assert len(parts) > 3
    assert all(len(json.dumps(document(part), separators=(",", ":"))) <= MAX_MANAGED for part in parts)
    again = [resource for part in parts for one in part for resource in one.resources]
    assert sorted(again) == sorted(need.resource for need in many)

"""Whether Batch runs another attempt."""

from __future__ import annotations

from typing import Any

import pytest

from stepweave.local_aws.layer.batch.retrying import Ending, again

SPOT: dict[str, Any] = {
    "attempts": 3,
    "evaluateOnExit": [
        {"onStatusReason": "Host EC2*", "action": "RETRY"},
        {"onExitCode": "143", "action": "retry"},
        {"onReason": "*", "action": "EXIT"},
    ],
}
EXITED = "Essential container in task exited"


def ended(code: int | None, status_reason: str = EXITED, **fields: Any) -> Ending:
    return Ending(exit_code=code, status_reason=status_reason, **fields)


def test_a_successful_attempt_is_the_last() -> None:
    assert not again({"attempts": 3}, 1, ended(0))


def test_without_rules_every_failure_is_tried_again_until_the_attempts_are_used_up() -> None:
    assert [again({"attempts": 3}, attempt, ended(1)) for attempt in (1, 2, 3)] == [True, True, False]


def test_without_a_number_there_is_one_attempt() -> None:
    assert not again({}, 1, ended(1))


@pytest.mark.parametrize(
    "ending, expected",
    [
        (ended(None, "Host EC2 (instance i-1) terminated."), True),
        (ended(143), True),
        (ended(1), False),
        (ended(137, reason="OutOfMemoryError: Container killed due to memory usage"), False),
    ],
)
def test_the_first_rule_that_matches_decides(ending: Ending, expected: bool) -> None:
    assert again(SPOT, 1, ending) is expected


def test_all_conditions_of_a_rule_must_hold() -> None:
    rules = [{"onExitCode": "7", "onReason": "Out*", "action": "EXIT"}]
    strategy = {"attempts": 2, "evaluateOnExit": rules}
    assert again(strategy, 1, ended(7))
    assert not again(strategy, 1, ended(7, reason="OutOfMemoryError"))


def test_where_no_rule_matches_there_is_another_attempt() -> None:
    strategy = {"attempts": 2, "evaluateOnExit": [{"onExitCode": "3", "action": "EXIT"}]}
    assert again(strategy, 1, ended(4))


def test_a_star_stands_for_anything_only_at_the_end_of_a_condition() -> None:
    strategy = {"attempts": 2, "evaluateOnExit": [{"onStatusReason": "Host*lost", "action": "EXIT"}]}
    assert again(strategy, 1, ended(1, "Host EC2 lost"))
    assert not again(strategy, 1, ended(1, "Host*lost"))


def test_what_somebody_stopped_is_not_tried_again() -> None:
    assert not again(SPOT, 1, ended(143, final=True))

"""Histories as Step Functions records them: types, ids, previous ids.

The facts are from executions that others ran on AWS and recorded: the snapshots of localstack
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions, 2023 to 2026) and floci
(https://github.com/floci-io/floci/issues/2868 and /pull/3167, us-east-1, 2026). The machines here are our own.
"""

import asyncio
from typing import Any

import pytest

from stepweave.engine.execution import Execution
from tests.engine.building import Lab, block, call, failing, machine, passing, run
from tests.engine.recording import details, ids, previous, steps

FAIL = {"Type": "Fail", "Error": "Broken", "Cause": "as told"}
AGAIN = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]
HANDLED = [{"ErrorEquals": ["States.ALL"], "Next": "handled"}]


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Parallel state."""
    return {"Type": "Parallel", "Branches": list(branches), **fields}


def mapped(*states: tuple[str, dict[str, Any]], items: Any, **fields: Any) -> dict[str, Any]:
    """An inline Map state."""
    return {"Type": "Map", "Items": items, "ItemProcessor": block(*states), **fields}


def test_the_first_state_follows_nothing_and_each_other_event_the_one_before() -> None:
    assert steps(run(machine(("a", passing()), ("b", {"Type": "Wait", "Seconds": 1})))) == [
        "1<0 ExecutionStarted",
        "2<0 PassStateEntered",
        "3<2 PassStateExited",
        "4<3 WaitStateEntered",
        "5<4 WaitStateExited",
        "6<5 ExecutionSucceeded",
    ]


def test_a_task_that_is_retried_is_scheduled_again_after_its_failure() -> None:
    task = call("once", Retry=[{"ErrorEquals": ["ValueError"]}])
    assert steps(run(machine(("t", task)), once=failing(ValueError("v"), times=1)))[1:] == [
        "2<0 TaskStateEntered",
        "3<2 TaskScheduled",
        "4<3 TaskStarted",
        "5<4 TaskFailed",
        "6<5 TaskScheduled",
        "7<6 TaskStarted",
        "8<7 TaskSucceeded",
        "9<8 TaskStateExited",
        "10<9 ExecutionSucceeded",
    ]


def test_a_caught_task_exits_after_its_failure() -> None:
    task = call("bad", Catch=HANDLED)
    execution = run(machine(("t", task), ("handled", passing())), bad=failing(ValueError("v")))
    assert steps(execution)[4:7] == ["5<4 TaskFailed", "6<5 TaskStateExited", "7<6 PassStateEntered"]


def test_iterations_one_at_a_time_follow_the_last_state_of_the_one_before() -> None:
    execution = run(machine(("m", mapped(("each", passing()), items=[1, 2], MaxConcurrency=1))))
    assert steps(execution)[1:] == [
        "2<0 MapStateEntered",
        "3<2 MapStateStarted",
        "4<3 MapIterationStarted",
        "5<4 PassStateEntered",
        "6<5 PassStateExited",
        "7<6 MapIterationSucceeded",
        "8<6 MapIterationStarted",
        "9<8 PassStateEntered",
        "10<9 PassStateExited",
        "11<10 MapIterationSucceeded",
        "12<11 MapStateSucceeded",
        "13<11 MapStateExited",
        "14<13 ExecutionSucceeded",
    ]


def test_iterations_side_by_side_all_follow_the_start_of_the_map() -> None:
    execution = run(machine(("m", mapped(("each", {"Type": "Wait", "Seconds": 1}), items=[1, 2, 3]))))
    assert steps(execution)[2:6] == ["3<2 MapStateStarted"] + [
        f"{number}<3 MapIterationStarted" for number in (4, 5, 6)
    ]
    assert previous(execution, "WaitStateEntered") == [4, 5, 6]
    assert ids(execution, "MapIterationSucceeded")[-1] == previous(execution, "MapStateExited")[0]


def test_a_map_over_nothing_exits_from_its_start() -> None:
    assert steps(run(machine(("m", mapped(("each", passing()), items=[])))))[1:] == [
        "2<0 MapStateEntered",
        "3<2 MapStateStarted",
        "4<3 MapStateSucceeded",
        "5<3 MapStateExited",
        "6<5 ExecutionSucceeded",
    ]


def test_branches_have_chains_of_their_own_and_the_parallel_goes_on_from_the_last_event() -> None:
    branches = (block(("a1", passing()), ("a2", passing())), block(("b1", passing()), ("b2", passing())))
    execution = run(machine(("p", parallel(*branches)), ("after", passing())))
    chain = {event["id"]: event["previousEventId"] for event in execution.history.events()}
    entered = {
        event["stateEnteredEventDetails"]["name"]: event["id"]
        for event in execution.history.events()
        if event["type"] == "PassStateEntered"
    }
    assert (chain[entered["a1"]], chain[entered["b1"]]) == (3, 3)
    assert chain[chain[entered["a2"]]] == entered["a1"]
    assert chain[chain[entered["b2"]]] == entered["b1"]
    (succeeded,), (exited,) = ids(execution, "ParallelStateSucceeded"), ids(execution, "ParallelStateExited")
    assert (succeeded, exited) == (12, 13)
    assert (chain[succeeded], chain[exited]) == (11, 11)
    assert chain[entered["after"]] == exited


def test_a_failure_in_a_branch_fails_the_parallel_which_a_catcher_lets_exit() -> None:
    parallel_state = parallel(block(("f", FAIL)), Catch=HANDLED)
    assert steps(run(machine(("p", parallel_state), ("handled", passing()))))[1:7] == [
        "2<0 ParallelStateEntered",
        "3<2 ParallelStateStarted",
        "4<3 FailStateEntered",
        "5<4 ParallelStateFailed",
        "6<5 ParallelStateExited",
        "7<6 PassStateEntered",
    ]


def test_a_retried_parallel_fails_only_when_its_retries_are_used_up() -> None:
    assert steps(run(machine(("p", parallel(block(("f", FAIL)), Retry=AGAIN)))))[1:] == [
        "2<0 ParallelStateEntered",
        "3<2 ParallelStateStarted",
        "4<3 FailStateEntered",
        "5<4 ParallelStateStarted",
        "6<5 FailStateEntered",
        "7<6 ParallelStateFailed",
        "8<7 ExecutionFailed",
    ]


def test_a_retried_map_fails_only_when_its_retries_are_used_up() -> None:
    state = mapped(("f", FAIL), items=[1], MaxConcurrency=1, Retry=AGAIN)
    assert steps(run(machine(("m", state))))[1:] == [
        "2<0 MapStateEntered",
        "3<2 MapStateStarted",
        "4<3 MapIterationStarted",
        "5<4 FailStateEntered",
        "6<5 MapIterationFailed",
        "7<5 MapStateStarted",
        "8<7 MapIterationStarted",
        "9<8 FailStateEntered",
        "10<9 MapIterationFailed",
        "11<9 MapStateFailed",
        "12<11 ExecutionFailed",
    ]


def test_a_task_that_ends_its_branch_is_recorded_as_aborted_after_its_failure() -> None:
    state = parallel(block(("t", call("bad"))), Catch=HANDLED)
    execution = run(machine(("p", state), ("handled", passing())), bad=failing(ValueError("v")))
    assert steps(execution)[6:10] == [
        "7<6 TaskFailed",
        "8<7 TaskStateAborted",
        "9<7 ParallelStateFailed",
        "10<9 ParallelStateExited",
    ]
    assert details(execution, "TaskStateAborted") is None


def test_a_failing_task_outside_of_branches_is_not_recorded_as_aborted() -> None:
    execution = run(machine(("t", call("bad"))), bad=failing(ValueError("v")))
    assert steps(execution)[4:] == ["5<4 TaskFailed", "6<5 ExecutionFailed"]


def test_states_cut_off_by_a_branch_that_fails_are_aborted_after_its_last_event() -> None:
    quick = block(("pause", {"Type": "Wait", "Seconds": 1}), ("f", FAIL))
    waits, calls = block(("long", {"Type": "Wait", "Seconds": 60})), block(("t", call("slow")))
    done = block(("done", passing()))
    execution = _with_a_slow_function(machine(("p", parallel(quick, waits, calls, done))))
    (failed,) = ids(execution, "FailStateEntered")
    assert previous(execution, "WaitStateAborted") == [failed]
    assert previous(execution, "TaskStateAborted") == [failed]
    assert previous(execution, "ParallelStateFailed") == [failed]
    assert execution.history.kinds()[-2:] == ["ParallelStateFailed", "ExecutionFailed"]
    assert "PassStateAborted" not in execution.history.kinds()


def test_iterations_cut_off_by_one_that_fails_are_aborted_with_the_state_they_were_in() -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input = 'fail' %}", "Next": "pause"}],
        "Default": "long",
    }
    each = (
        ("which", choice),
        ("pause", {"Type": "Wait", "Seconds": 1, "Next": "f"}),
        ("f", FAIL),
        ("long", {"Type": "Wait", "Seconds": 60, "End": True}),
    )
    execution = run(machine(("m", mapped(*each, items=["wait", "fail"]))))
    (failed,) = ids(execution, "FailStateEntered")
    assert steps(execution)[failed:] == [
        f"{failed + 1}<{failed} MapIterationAborted",
        f"{failed + 2}<{failed} WaitStateAborted",
        f"{failed + 3}<{failed} MapIterationFailed",
        f"{failed + 4}<{failed} MapStateFailed",
        f"{failed + 5}<{failed + 4} ExecutionFailed",
    ]
    assert details(execution, "MapIterationAborted") == {"name": "m", "index": 0}
    assert details(execution, "MapIterationFailed") == {"name": "m", "index": 1}


def test_nested_maps_go_on_from_the_exit_of_the_inner_one() -> None:
    inner = mapped(("each", passing()), items="{% $states.input %}", MaxConcurrency=1)
    execution = run(machine(("m", mapped(("inner", inner), items=[[1], [2]], MaxConcurrency=1))))
    assert steps(execution)[9:14] == [
        "10<9 MapIterationSucceeded",
        "11<10 MapStateSucceeded",
        "12<10 MapStateExited",
        "13<12 MapIterationSucceeded",
        "14<12 MapIterationStarted",
    ]


@pytest.mark.parametrize("seconds,kind", [(5, "ExecutionTimedOut"), (None, "ExecutionAborted")])
def test_an_execution_that_times_out_or_is_stopped_ends_with_an_event_that_follows_nothing(
    seconds: int | None, kind: str
) -> None:
    top = {} if seconds is None else {"TimeoutSeconds": seconds}
    lab = Lab({"main": machine(("w", {"Type": "Wait", "Seconds": 60}), **top)})

    async def scenario() -> Execution:
        lab.engine.start("main", {}, "run-1")
        if seconds is None:
            await _moment()
            lab.engine.stop("run-1")
        return await lab.engine.wait("run-1")

    assert steps(lab.clock.run(scenario()))[1:] == ["2<0 WaitStateEntered", f"3<0 {kind}"]


def _with_a_slow_function(definition: dict[str, Any]) -> Execution:
    return run(definition, slow=_slow)


async def _slow(event: Any) -> Any:
    await asyncio.sleep(60)
    return event


async def _moment() -> None:
    await asyncio.sleep(1)

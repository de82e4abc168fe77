"""History: the events that AWS would record, how many, in which shape, and the limit."""

import json
from typing import Any

import pytest

from tests.engine.building import Lab, block, call, echo, failing, machine, passing, run

WAITING = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Arguments": {"FunctionName": "send", "Payload": "{% $states.context.Task.Token %}"},
}
ONCE_THEN_SEND = {"FunctionName": "once_then_send", "Payload": "{% $states.context.Task.Token %}"}
NESTED = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Arguments": {"StateMachineArn": "child"},
}
PARALLEL = {"Type": "Parallel", "Branches": [block(("a", passing())), block(("b", passing()))]}
MAP = {"Type": "Map", "Items": [1, 2, 3], "ItemProcessor": block(("each", passing()))}
FAILED_ONCE = call("once", Retry=[{"ErrorEquals": ["ValueError"]}])
CHOICE = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "end"}]}


@pytest.mark.parametrize(
    "state,events",
    [
        (passing(), 2),
        (CHOICE, 2),
        ({"Type": "Wait", "Seconds": 1}, 2),
        (call("echo"), 5),
        (FAILED_ONCE, 5 + 3),
        (WAITING, 6),
        ({**WAITING, "Arguments": ONCE_THEN_SEND, "Retry": [{"ErrorEquals": ["ValueError"]}]}, 6 + 3),
        (NESTED, 6),
        (PARALLEL, 4 + 2 * 2),
        (MAP, 4 + 3 * (2 + 2)),
    ],
)
def test_each_state_costs_the_events_that_aws_records(state: dict[str, Any], events: int) -> None:
    async def send(token: str) -> None:
        lab.engine.tokens.send_success(token, None)

    once = failing(ValueError("v"), times=1)

    async def once_then_send(token: str) -> None:
        await once(token)
        await send(token)

    functions = {"echo": echo, "send": send, "once": once, "once_then_send": once_then_send}
    definition = machine(("state", state), ("end", {"Type": "Succeed"}))
    lab = Lab({"main": definition, "child": machine(("only", passing()))}, functions)
    execution = lab.run()
    assert execution.status == "SUCCEEDED"
    assert (
        len(execution.history) == 2 + events + 2
    )  # the execution's own, the state's, those of the Succeed state


def test_a_fail_state_and_a_failed_expression_cost_one_event() -> None:
    assert run(machine(("f", {"Type": "Fail"}))).history.kinds() == [
        "ExecutionStarted",
        "FailStateEntered",
        "ExecutionFailed",
    ]
    assert run(machine(("p", passing(Output="{% $nothing %}")))).history.kinds() == [
        "ExecutionStarted",
        "PassStateEntered",
        "EvaluationFailed",
        "ExecutionFailed",
    ]


def test_a_task_is_told_in_the_shape_of_get_execution_history() -> None:
    task = call(
        "echo", {"a": 1}, Assign={"v": "{% $states.result.Payload %}"}, Output="out", TimeoutSeconds=9
    )
    events = list(run(machine(("t", task)), {"in": 1}, echo=echo).history.events())
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert [event["id"] for event in events] == list(range(1, 8))
    # The first state follows no event.
    assert [event["previousEventId"] for event in events] == [0, 0, 2, 3, 4, 5, 6]
    assert all(event["timestamp"] == 1_767_225_600.0 for event in events)
    started, entered, scheduled, _, succeeded, exited, ended = events
    assert json.loads(started["executionStartedEventDetails"]["input"]) == {"in": 1}
    assert started["executionStartedEventDetails"]["roleArn"].startswith("arn:aws:iam::")
    assert entered["stateEnteredEventDetails"]["name"] == "t"
    details = scheduled["taskScheduledEventDetails"]
    assert (details["resourceType"], details["resource"], details["timeoutInSeconds"]) == (
        "lambda",
        "invoke",
        9,
    )
    assert json.loads(details["parameters"]) == {"FunctionName": "echo", "Payload": {"a": 1}}
    assert json.loads(succeeded["taskSucceededEventDetails"]["output"]) == {
        "ExecutedVersion": "$LATEST",
        "Payload": {"a": 1},
        "StatusCode": 200,
    }
    assert exited["stateExitedEventDetails"]["assignedVariables"] == {"v": '{"a":1}'}
    assert ended["executionSucceededEventDetails"]["output"] == '"out"'


def test_failures_tell_error_and_cause() -> None:
    events = list(run(machine(("t", call("bad"))), bad=failing(ValueError("v"))).history.events())
    failed = next(event for event in events if event["type"] == "TaskFailed")["taskFailedEventDetails"]
    assert (failed["error"], failed["resource"]) == ("ValueError", "invoke")
    assert events[-1]["executionFailedEventDetails"]["error"] == "ValueError"
    where = list(run(machine(("p", passing(Output={"x": "{% $nothing %}"})))).history.events())[2]
    assert where["evaluationFailedEventDetails"] | {"cause": ""} == {
        "error": "States.QueryEvaluationError",
        "cause": "",
        "location": "Output/x",
        "state": "p",
    }


def test_events_of_a_branch_follow_the_start_of_their_parallel() -> None:
    events = list(run(machine(("p", PARALLEL))).history.events())
    by_id = {event["id"]: event for event in events}
    started = next(event["id"] for event in events if event["type"] == "ParallelStateStarted")
    entered = [event for event in events if event["type"] == "PassStateEntered"]
    assert [event["previousEventId"] for event in entered] == [started, started]
    succeeded = next(event for event in events if event["type"] == "ParallelStateSucceeded")
    assert by_id[succeeded["previousEventId"]]["type"] == "PassStateExited"


def test_map_events_tell_length_and_index() -> None:
    events = list(run(machine(("m", MAP))).history.events())
    assert next(e for e in events if e["type"] == "MapStateStarted")["mapStateStartedEventDetails"] == {
        "length": 3
    }
    iterations = [
        e["mapIterationSucceededEventDetails"] for e in events if e["type"] == "MapIterationSucceeded"
    ]
    assert iterations == [{"name": "m", "index": index} for index in range(3)]


def test_an_execution_of_too_many_events_fails_and_nothing_catches_it() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "end"}]
    again = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "a"}], "Default": "last"}
    endless = block(("a", passing()), ("b", again), ("last", passing()))
    parallel = {"Type": "Parallel", "Branches": [endless], "Catch": catch}
    lab = Lab({"main": machine(("p", parallel), ("end", {"Type": "Succeed"}))})
    execution = lab.run()
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "maximum number of history events (25000)" in (execution.cause or "")
    assert len(execution.history) == 25_000
    assert execution.history.kinds()[-1] == "ExecutionFailed"


def test_the_same_seed_gives_the_same_history() -> None:
    def history(seed: int) -> list[dict[str, Any]]:
        retry = [{"ErrorEquals": ["ValueError"], "JitterStrategy": "FULL"}]
        states = (
            ("t", call("once", Retry=retry)),
            ("u", passing(Output=["{% $uuid() %}", "{% $random() %}", "{% $now() %}"])),
        )
        lab = Lab({"main": machine(*states)}, {"once": failing(ValueError("v"), times=2)}, seed=seed)
        events = list(lab.run().history.events())
        for event in events:
            event.get("taskFailedEventDetails", {}).pop("cause", None)
        return events

    assert history(1) == history(1)
    assert history(1) != history(2)

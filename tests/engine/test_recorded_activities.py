"""Activities as AWS recorded them.

The facts are from executions that others ran on AWS: the snapshots of localstack
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions/v2/activities, 2024) and floci
(https://github.com/floci-io/floci/issues/2733, us-east-1, 2026). The machines here are our own.
"""

from collections.abc import Callable
from typing import Any

from stepweave.engine.execution import Execution
from stepweave.engine.integrations.activity import Activities
from tests.engine.building import Lab, machine, passing
from tests.engine.recording import details, steps

ACTIVITY = "arn:aws:states:eu-west-1:123456789012:activity:work"
Worker = Callable[[Lab, str], None]


def worked(worker: Worker, name: str | None = "me", **fields: Any) -> Execution:
    """The ended execution of one activity task, which ``worker`` is given once; it is polled for by ``name``."""
    activities = Activities(["work"])
    task = {"Type": "Task", "Resource": ACTIVITY, "Arguments": {"n": 1}, **fields}
    lab = Lab({"main": machine(("t", task), ("handled", passing()))}, integrations={"activity": activities})

    async def scenario() -> Execution:
        lab.engine.start("main", {}, "run-1")
        given = await activities.get_task(ACTIVITY, name)
        assert given is not None
        worker(lab, given["taskToken"])
        return await lab.engine.wait("run-1")

    return lab.clock.run(scenario())


def done(lab: Lab, token: str) -> None:
    """A worker that sends a result."""
    lab.engine.tokens.send_success(token, {"r": 2})


def failed(lab: Lab, token: str) -> None:
    """A worker that sends an error."""
    lab.engine.tokens.send_failure(token, "Broken", "as told")


def silent(lab: Lab, token: str) -> None:
    """A worker that sends nothing."""


def test_an_activity_is_scheduled_started_and_done() -> None:
    execution = worked(done, TimeoutSeconds=50, HeartbeatSeconds=5)
    assert steps(execution)[2:6] == [
        "3<2 ActivityScheduled",
        "4<3 ActivityStarted",
        "5<4 ActivitySucceeded",
        "6<5 TaskStateExited",
    ]
    assert details(execution, "ActivityScheduled") == {
        "resource": ACTIVITY,
        "input": '{"n":1}',
        "inputDetails": {"truncated": False},
        "timeoutInSeconds": 50,
        "heartbeatInSeconds": 5,
    }
    assert details(execution, "ActivityStarted") == {"workerName": "me"}
    assert details(execution, "ActivitySucceeded") == {
        "output": '{"r":2}',
        "outputDetails": {"truncated": False},
    }


def test_a_worker_without_a_name_leaves_empty_details() -> None:
    assert details(worked(done, None), "ActivityStarted") == {}


def test_limits_that_are_not_set_are_not_told() -> None:
    assert set(details(worked(done), "ActivityScheduled") or {}) == {"resource", "input", "inputDetails"}


def test_a_worker_that_fails_is_told_with_its_words() -> None:
    execution = worked(failed)
    said = {"error": "Broken", "cause": "as told"}
    assert steps(execution)[4:] == ["5<4 ActivityFailed", "6<5 ExecutionFailed"]
    assert details(execution, "ActivityFailed") == said
    assert details(execution, "ExecutionFailed") == said


def test_a_worker_that_is_too_slow_is_told_without_a_cause() -> None:
    execution = worked(silent, TimeoutSeconds=5)
    assert steps(execution)[4:] == ["5<4 ActivityTimedOut", "6<5 ExecutionFailed"]
    assert details(execution, "ActivityTimedOut") == {"error": "States.Timeout"}
    assert details(execution, "ExecutionFailed") == {"error": "States.Timeout"}


def test_a_worker_that_stays_silent_is_told_as_a_timeout_and_caught_as_a_missed_heartbeat() -> None:
    catch = [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "handled"}]
    execution = worked(silent, TimeoutSeconds=600, HeartbeatSeconds=5, Catch=catch)
    assert steps(execution)[4:6] == ["5<4 ActivityTimedOut", "6<5 TaskStateExited"]
    assert details(execution, "ActivityTimedOut") == {"error": "States.Timeout"}
    assert execution.output["Error"] == "States.Timeout"

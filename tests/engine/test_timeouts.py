"""Time limits of tasks and machines, task tokens and their heartbeats."""

import asyncio
from typing import Any

import pytest

from stepweave.engine.tokens import TaskTokenError
from stepweave.errors import UsageError
from tests.engine.building import Lab, call, machine, passing

WAITING = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"}
SENT = {"FunctionName": "send", "Payload": {"token": "{% $states.context.Task.Token %}"}}


class Mailbox:
    """A function that keeps the tokens it is sent, and runs ``then`` on each later."""

    def __init__(self, then: Any = None) -> None:
        self.tokens: list[str] = []
        self.then = then
        self.jobs: list[asyncio.Task[Any]] = []

    async def __call__(self, event: Any) -> None:
        self.tokens.append(event["token"])
        if self.then is not None:
            self.jobs.append(asyncio.create_task(self.then(event["token"])))


def waiting_lab(mailbox: Mailbox, **fields: Any) -> Lab:
    return Lab({"main": machine(("gate", {**WAITING, "Arguments": SENT, **fields}))}, {"send": mailbox})


async def forever(event: Any) -> None:
    await asyncio.sleep(10**6)


def test_a_task_ends_when_its_time_is_up() -> None:
    lab = Lab(
        {"main": machine(("t", call("forever", TimeoutSeconds="{% $states.input * 2 %}")))},
        {"forever": forever},
    )
    execution = lab.run(15)
    assert (execution.error, lab.clock.elapsed) == ("States.Timeout", 30)
    assert "TaskTimedOut" in execution.history.kinds()


def test_the_time_of_a_task_starts_anew_with_each_attempt() -> None:
    task = call(
        "forever", TimeoutSeconds=10, Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1}]
    )
    lab = Lab({"main": machine(("t", task))}, {"forever": forever})
    lab.run()
    assert lab.clock.elapsed == 4 * 10 + 1 + 2 + 4


def test_a_timeout_error_of_the_function_itself_is_that_functions_error() -> None:
    async def impatient(event: Any) -> None:
        raise TimeoutError("the database")

    lab = Lab({"main": machine(("t", call("impatient", TimeoutSeconds=5)))}, {"impatient": impatient})
    assert lab.run().error == "TimeoutError"


@pytest.mark.parametrize("seconds", ["{% 0 %}", "{% 'x' %}", "{% true %}"])
def test_a_time_limit_must_be_a_positive_number(seconds: Any) -> None:
    lab = Lab({"main": machine(("t", call("forever", TimeoutSeconds=seconds)))}, {"forever": forever})
    assert lab.run().error == "States.QueryEvaluationError"


def test_a_machine_times_out_and_nothing_in_it_can_catch_that() -> None:
    catch = [{"ErrorEquals": [name], "Next": "after"} for name in ("States.Timeout", "States.ALL")]
    states = (("t", call("forever", Catch=catch)), ("after", passing()))
    lab = Lab({"main": machine(*states, TimeoutSeconds=60)}, {"forever": forever})
    execution = lab.run()
    assert (execution.status, execution.error, lab.clock.elapsed) == ("TIMED_OUT", None, 60)
    last = list(execution.history.events())[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionTimedOut", 0)
    assert last["executionTimedOutEventDetails"] == {"error": "States.Timeout"}


def test_a_task_waits_for_its_token() -> None:
    async def later(token: str) -> None:
        await asyncio.sleep(50)
        lab.engine.tokens.send_success(token, {"answer": 42})

    lab = waiting_lab(Mailbox(later))
    assert lab.run().output == {"answer": 42}
    assert lab.clock.elapsed == 50


def test_a_token_may_come_back_before_the_function_returns() -> None:
    async def send(event: Any) -> None:
        lab.engine.tokens.send_success(event["token"], "early")
        await asyncio.sleep(5)

    lab = Lab({"main": machine(("gate", {**WAITING, "Arguments": SENT}))}, {"send": send})
    assert lab.run().output == "early"


def test_a_token_can_fail_its_task() -> None:
    async def later(token: str) -> None:
        lab.engine.tokens.send_failure(token, "UpstreamFailed", "a and b")

    lab = waiting_lab(Mailbox(later))
    execution = lab.run()
    assert (execution.error, execution.cause) == ("UpstreamFailed", "a and b")


def test_a_function_that_fails_fails_the_task_that_would_wait() -> None:
    async def send(event: Any) -> None:
        raise ValueError("no")

    lab = Lab({"main": machine(("gate", {**WAITING, "Arguments": SENT}))}, {"send": send})
    assert lab.run().error == "ValueError"


def test_heartbeats_keep_a_task_alive_and_their_absence_ends_it() -> None:
    async def beating(token: str) -> None:
        for _ in range(5):
            await asyncio.sleep(8)
            lab.engine.tokens.send_heartbeat(token)

    lab = waiting_lab(Mailbox(beating), HeartbeatSeconds=10)
    execution = lab.run()
    assert (execution.error, lab.clock.elapsed) == ("States.Timeout", 50)
    assert "TaskTimedOut" in execution.history.kinds()


def test_a_heartbeat_is_due_only_after_the_service_has_taken_the_call() -> None:
    async def slow(event: Any) -> None:
        await asyncio.sleep(30)

    state = {**WAITING, "Arguments": SENT, "HeartbeatSeconds": 10}
    lab = Lab({"main": machine(("gate", state))}, {"send": slow})
    assert lab.run().error == "States.Timeout"
    assert lab.clock.elapsed == 40


def test_each_attempt_has_a_token_of_its_own_and_old_ones_are_refused() -> None:
    mailbox = Mailbox()
    lab = waiting_lab(
        mailbox, TimeoutSeconds=10, Retry=[{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}]
    )
    assert lab.run().error == "States.Timeout"
    assert len(set(mailbox.tokens)) == 2
    for token in mailbox.tokens:
        with pytest.raises(TaskTokenError, match="has ended") as caught:
            lab.engine.tokens.send_success(token, None)
        assert caught.value.code == "TaskTimedOut"
    with pytest.raises(TaskTokenError, match="no task was given"):
        lab.engine.tokens.send_heartbeat("unknown")


def test_a_token_is_sent_only_once() -> None:
    async def twice(token: str) -> None:
        lab.engine.tokens.send_success(token, 1)
        with pytest.raises(TaskTokenError):
            lab.engine.tokens.send_failure(token, "Late")

    mailbox = Mailbox(twice)
    lab = waiting_lab(mailbox)
    assert lab.run().output == 1
    assert mailbox.jobs[0].exception() is None


def test_a_wait_for_a_token_that_nobody_sends_is_an_error_of_the_virtual_clock() -> None:
    with pytest.raises(UsageError, match="a task token that nobody completes"):
        waiting_lab(Mailbox()).run()

"""A queued run that is started and withdrawn at once: one of both wins, wherever they meet."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.starter.dag_file import DagFile
from functions.starter.machine import Machine, StartRefusedError
from functions.starter.requests import resumed, to_request
from functions.starter.starting import Starter
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import ExecutionState, RunTable
from tests.functions.environment_fakes import ALIAS, TABLE, DiedError, refused, take_slot

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
MS = round(NOW.timestamp() * 1000)
DAG = DagFile(dag="sales", max_active_runs=1)
CALLS = range(12)
"""More calls than a start makes: tests go on until one was not reached."""


class Meeting:
    """Clients of DynamoDB and Step Functions; before one of their calls something else happens, or after it death."""

    def __init__(self, dynamodb, states, call, happens=lambda: None, dies=False):
        self.dynamodb, self.states = (_Client(self, one) for one in (dynamodb, states))
        self.left, self.happens, self.dies = call, happens, dies

    @property
    def took_place(self):
        return self.left < 0

    def around(self, operation, arguments):
        self.left -= 1
        if self.left == -1:
            self.happens()
        answer = operation(**arguments)
        if self.left == -1 and self.dies:
            raise DiedError
        return answer


class _Client:
    def __init__(self, meeting, client):
        self.meeting, self.client, self.exceptions = meeting, client, client.exceptions

    def __getattr__(self, name):
        return lambda **arguments: self.meeting.around(getattr(self.client, name), arguments)


def starter_of(dynamodb, states, dag=DAG):
    return Starter(
        dag, Machine(ALIAS, states), RunTable(dynamodb, TABLE), RunQueue(dynamodb, TABLE), NOW.timestamp
    )


def manual(run_id):
    return to_request({"source": "manual", "run_id": run_id}, DAG, NOW)


def withdraw(dynamodb, run_id="r2", place=None):
    """Whether the run was withdrawn, by somebody who has looked at it just now, or knows its place since earlier."""
    run = RunTable(dynamodb, TABLE).get("sales", run_id)
    place = place or (run and run.place)
    return place is not None and RunQueue(dynamodb, TABLE).withdraw("sales", run_id, place, MS)


def one_waits(dynamodb, states):
    """Run r1 has begun and ended, and r2 waits for its slot, which is free."""
    starter = starter_of(dynamodb, states)
    starter.start(manual("r1"))
    starter.start(manual("r2"))
    states.end(states.started[0])
    RunQueue(dynamodb, TABLE).free("sales", "r1")


def begun(states):
    return [arn.rpartition(":")[2] for arn in states.started]


def assert_one_won(dynamodb, states, withdrawn):
    """The run was either withdrawn and never begins, or has begun once; whoever comes next changes nothing of that."""
    for _ in range(2):
        starter_of(dynamodb, states).drain()
        starter_of(dynamodb, states).start(manual("r2"))
    run = RunTable(dynamodb, TABLE).get("sales", "r2")
    assert begun(states).count("r2") == (0 if withdrawn else 1)
    assert run.status == ("cancelled" if withdrawn else "running")
    assert run.place is None
    assert RunQueue(dynamodb, TABLE).first("sales") is None
    assert list(RunQueue(dynamodb, TABLE).active("sales")) == ([] if withdrawn else ["r2"])


@pytest.mark.parametrize("call", CALLS)
def test_a_run_that_is_withdrawn_while_it_is_started_never_begins_or_was_not_withdrawn(
    dynamodb, states, call
):
    one_waits(dynamodb, states)
    place, withdrawn = RunTable(dynamodb, TABLE).get("sales", "r2").place, []
    meeting = Meeting(dynamodb, states, call, lambda: withdrawn.append(withdraw(dynamodb, place=place)))
    starter_of(meeting.dynamodb, meeting.states).drain()
    assert withdrawn == ([call < 3] if meeting.took_place else [])  # the third call is the claim
    assert_one_won(dynamodb, states, withdrawn == [True])


@pytest.mark.parametrize("call", CALLS)
def test_a_run_whose_starter_died_is_withdrawn_or_started_by_the_next(dynamodb, states, call):
    one_waits(dynamodb, states)
    meeting = Meeting(dynamodb, states, call, dies=True)
    try:
        starter_of(meeting.dynamodb, meeting.states).drain()
    except DiedError:
        assert meeting.took_place
    else:
        assert not meeting.took_place
    assert_one_won(dynamodb, states, withdraw(dynamodb))


@pytest.mark.parametrize("call", CALLS)
def test_a_copy_of_the_event_does_not_start_a_run_that_was_withdrawn_meanwhile(dynamodb, states, call):
    starter_of(dynamodb, states).start(manual("r1"))
    withdrawn = []

    def meanwhile():
        starter_of(dynamodb, states).start(manual("r2"))
        withdrawn.append(withdraw(dynamodb))
        states.end(states.started[0])
        RunQueue(dynamodb, TABLE).free("sales", "r1")

    meeting = Meeting(dynamodb, states, call, meanwhile)
    starter_of(meeting.dynamodb, meeting.states).start(manual("r2"))
    if meeting.took_place:
        assert_one_won(dynamodb, states, withdrawn == [True])
    else:
        assert begun(states) == ["r1"]


@pytest.mark.parametrize("call", CALLS)
def test_a_copy_of_the_event_does_not_queue_a_run_that_began_meanwhile(dynamodb, states, call):
    starter_of(dynamodb, states).start(manual("r1"))

    def meanwhile():
        states.end(states.started[0])
        RunQueue(dynamodb, TABLE).free("sales", "r1")
        starter_of(dynamodb, states).start(manual("r2"))

    meeting = Meeting(dynamodb, states, call, meanwhile)
    starter_of(meeting.dynamodb, meeting.states).start(manual("r2"))
    if meeting.took_place:
        assert_one_won(dynamodb, states, withdrawn=False)
    else:
        assert begun(states) == ["r1"]


def test_a_run_that_step_functions_does_not_start_can_be_withdrawn_and_gives_its_slot_back(dynamodb, states):
    one_waits(dynamodb, states)
    states.refusals = [refused("ExecutionLimitExceeded")]
    with pytest.raises(StartRefusedError):
        starter_of(dynamodb, states).drain()
    assert withdraw(dynamodb)
    assert_one_won(dynamodb, states, withdrawn=True)


def test_a_run_that_one_starter_may_not_start_and_another_one_starts_is_not_withdrawn(dynamodb, states):
    one_waits(dynamodb, states)
    queue = RunQueue(dynamodb, TABLE)
    mine, theirs = (queue.claim(queue.first("sales"), 1, MS) for _ in range(2))
    queue.give_up(queue.first("sales"), mine)
    assert mine != theirs
    assert not withdraw(dynamodb)
    queue.give_up(queue.first("sales"), theirs)
    assert withdraw(dynamodb)


def test_a_run_of_whose_start_nothing_is_known_is_not_withdrawn(dynamodb, states):
    one_waits(dynamodb, states)
    states.losses = [ReadTimeoutError(endpoint_url="states")]
    with pytest.raises(ReadTimeoutError):
        starter_of(dynamodb, states).drain()
    assert not withdraw(dynamodb)
    assert_one_won(dynamodb, states, withdrawn=False)


def test_a_run_is_withdrawn_once(dynamodb, states):
    one_waits(dynamodb, states)
    place = RunTable(dynamodb, TABLE).get("sales", "r2").place
    assert [withdraw(dynamodb, place=place) for _ in range(2)] == [True, False]


def test_a_resumed_run_that_was_withdrawn_can_be_resumed_again(dynamodb, states):
    starter = starter_of(dynamodb, states)
    starter.start(manual("r1"))
    failed = ExecutionState(
        dag="sales", run_id="r1", execution=states.started[0], status="failed", started_ms=MS, ended_ms=MS + 5
    )
    table = RunTable(dynamodb, TABLE)
    table.tell(failed)
    again = resumed(table.get("sales", "r1"), {"params": {}}, "ana", "c2")
    assert starter.start(again).status == "queued"  # r1 still has the slot
    assert withdraw(dynamodb, "r1")
    RunQueue(dynamodb, TABLE).free("sales", "r1")
    assert starter.drain().status == "idle"
    assert starter.start(again).status == "started"
    assert begun(states) == ["r1", "r1-r1"]


@pytest.mark.parametrize("call", range(3))
def test_a_run_whose_slot_is_taken_by_another_just_before_it_is_claimed_waits(dynamodb, states, call):
    one_waits(dynamodb, states)
    meeting = Meeting(dynamodb, states, call, lambda: take_slot(dynamodb, "other"))
    assert starter_of(meeting.dynamodb, meeting.states).drain().status == "idle"
    assert meeting.took_place
    assert begun(states) == ["r1"]
    assert withdraw(dynamodb)


def test_slots_are_counted_by_execution(dynamodb, states):
    starter = starter_of(dynamodb, states, replace(DAG, max_active_runs=2))
    assert [starter.start(manual(name)).status for name in ("a", "b", "c", "a")] == [
        "started",
        "started",
        "queued",
        "duplicate",
    ]
    queue = RunQueue(dynamodb, TABLE)
    assert queue.active("sales") == {"a": MS // 1000, "b": MS // 1000}
    assert (queue.free("sales", "a"), queue.free("sales", "a")) == (True, True)
    assert starter.drain().run_id == "c"
    assert not queue.free("churn", "a")

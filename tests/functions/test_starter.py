import json
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.starter.dag_file import dag_file
from functions.starter.machine import Machine, StartRefusedError
from functions.starter.requests import Request, resumed, to_request
from functions.starter.starting import Starter
from stepweave.errors import ParamsError, UsageError
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import ExecutionState, RunTable
from tests.functions.environment_fakes import ALIAS, TABLE, DiedError, refused

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
DAG = dag_file(
    {
        "dag": "sales",
        "params": [
            {"name": "uri", "schema": {"type": "string"}, "default": ""},
            {"name": "days", "schema": {"type": "integer", "minimum": 1}, "default": 7},
        ],
        "triggers": [{"type": "s3-object-created", "prefix": "raw/", "param": "uri"}],
        "code_version": "c1",
    }
)
STRICT = dag_file(
    {
        "dag": "sales",
        "params": [
            {"name": "rate", "schema": {"type": "number"}},
            {"name": "shape", "schema": {"type": "array", "items": {"type": "integer"}}, "default": []},
        ],
    }
)


def upload(key="raw/a.csv", version="v1", sequencer="1", size=3):
    thing = {"key": key, "size": size, "etag": "e", "version-id": version, "sequencer": sequencer}
    event = {"source": "aws.s3", "detail": {"bucket": {"name": "data"}, "object": thing}}
    return {"source": "s3", "trigger": 0, "event": event}


def starter_of(dynamodb, states, dag=DAG, most=None, now=lambda: NOW.timestamp()):
    runs, queue = RunTable(dynamodb, TABLE), RunQueue(dynamodb, TABLE)
    return Starter(replace(dag, max_active_runs=most), Machine(ALIAS, states), runs, queue, now)


def manual(run_id, **params):
    return to_request({"source": "manual", "run_id": run_id, "params": params}, DAG, NOW)


def test_a_schedule_asks_for_the_run_of_its_moment():
    event = {"source": "schedule", "scheduled_time": "2026-11-21T06:00:00Z", "schedule": "nightly"}
    request = to_request(event, DAG, NOW)
    assert request.run_id == "scheduled-20261121T060000Z"
    assert json.loads(request.input) == {
        "params": {"days": 7, "uri": ""},
        "run_id": "scheduled-20261121T060000Z",
        "logical_date": "2026-11-21T06:00:00+00:00",
    }


def test_an_upload_sets_the_param_of_its_trigger():
    request = to_request(upload(), DAG, NOW)
    assert json.loads(request.input)["params"] == {"days": 7, "uri": "s3://data/raw/a.csv"}
    assert json.loads(request.facts.trigger) == {
        "source": "s3",
        "uri": "s3://data/raw/a.csv",
        "version": "v1",
    }


def test_a_trigger_that_names_folders_gets_them_and_empty_files_are_files():
    dag = replace(DAG, triggers=({"suffix": "/"},))
    assert to_request(upload(key="raw/", size=0), dag, NOW)
    assert to_request(upload(key="raw/_SUCCESS", size=0), DAG, NOW)


def test_a_trigger_without_a_param_sets_none():
    dag = replace(DAG, triggers=({"param": None},))
    assert json.loads(to_request(upload(), dag, NOW).input)["params"] == {"days": 7, "uri": ""}


def test_the_same_version_of_an_object_asks_for_the_same_bytes_and_another_one_for_another_run():
    first, again = (to_request(upload(), DAG, NOW) for _ in range(2))
    assert (first.run_id, first.input) == (again.run_id, again.input)
    others = [upload(key="raw/b.csv"), upload(version="v2"), upload(sequencer="2")]
    assert len({to_request(event, DAG, NOW).run_id for event in [upload(), *others]}) == 4


def test_all_that_is_wrong_with_params_is_told_at_once():
    event = {"source": "manual", "params": {"rat": 1, "shape": [1, "b", "c"]}}
    with pytest.raises(ParamsError) as told:
        to_request(event, STRICT, NOW)
    problems = [(problem.code, problem.what, problem.fix) for problem in told.value.problems]
    assert problems == [
        ("param-unknown", "DAG 'sales' has no param 'rat'", "write rate"),
        ("param-missing", "param 'rate' is missing, and has no default", 'for example: {"rate": 0.5}'),
        ("param-value", "param 'shape'[1] does not fit its declaration", 'for example: {"shape": [1]}'),
        ("param-value", "param 'shape'[2] does not fit its declaration", 'for example: {"shape": [1]}'),
    ]


@pytest.mark.parametrize(
    "event, told",
    [
        ({"source": "manual", "run_id": "a b"}, "cannot name an execution"),
        ({"source": "manual", "run_id": "a-r2"}, "no -r<number> at the end"),
        ({"source": "manual", "run_id": "a" * 75}, "at most 74 characters"),
        ({"source": "manual", "logical_date": "soon"}, "expected ISO 8601"),
        ({"source": "manual", "params": [1]}, "expected an object by name"),
        ({"source": "schedule"}, "scheduled_time is None"),
        ({"source": "s3", "trigger": 4, "event": {}}, "the number of one of 1 triggers"),
        ({"source": "s3", "trigger": 0, "event": {"detail": {}}}, "lacks 'bucket'"),
        ({}, "expected schedule, s3, manual, resume or queue"),
    ],
)
def test_what_cannot_be_started_is_refused_with_what_was_expected(event, told):
    with pytest.raises(UsageError, match=told):
        to_request(event, DAG, NOW)


def test_an_input_that_step_functions_would_refuse_is_refused_before():
    with pytest.raises(UsageError, match="262,144 at most"):
        manual("r1", uri="x" * 300_000)


def test_a_request_survives_the_queue_as_it_is():
    request = to_request(
        {"source": "schedule", "scheduled_time": "2026-11-21T06:00:00Z", "schedule": "n"}, DAG, NOW
    )
    assert Request.from_json(request.to_json()) == request


def test_a_run_is_started_through_the_alias_and_on_record(dynamodb, states):
    answer = starter_of(dynamodb, states).start(manual("r1", uri="s3://x"))
    run = RunTable(dynamodb, TABLE).get("sales", "r1")
    assert (answer.status, answer.execution) == ("started", states.started[0])
    assert (run.status, run.execution, run.attempt) == ("running", states.started[0], 1)
    assert run.params == {"days": 7, "uri": "s3://x"}
    assert (run.started, run.facts.code_version) == ("2026-11-21T06:00:00.000+00:00", "c1")


def test_a_hundred_copies_of_an_event_start_one_run(dynamodb, states):
    starter = starter_of(dynamodb, states)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(starter.start(to_request(upload(), DAG, NOW))))
        for _ in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(states.started) == 1
    assert {answer.execution for answer in answers} == {states.started[0]}
    assert len(answers) == 100


def test_a_copy_that_comes_after_the_end_of_the_run_starts_nothing(dynamodb, states):
    starter = starter_of(dynamodb, states)
    starter.start(manual("r1"))
    states.end(states.started[0])
    assert starter.start(manual("r1")).status == "duplicate"
    assert len(states.started) == 1


def test_an_execution_that_nobody_recorded_is_recorded_by_the_copy(dynamodb, states):
    request = manual("r1")
    states.start_execution(stateMachineArn=ALIAS, name="r1", input=request.input)
    states.end(states.started[0], "FAILED", error="DagRunFailed", cause="failed: load")
    answer = starter_of(dynamodb, states, most=1).start(request)
    run = RunTable(dynamodb, TABLE).get("sales", "r1")
    assert (answer.status, run.status, run.failed) == ("duplicate", "failed", {"load"})
    assert RunQueue(dynamodb, TABLE).active("sales") == {}


@pytest.mark.parametrize("operation", ["update_item", "put_item", "get_item"])
def test_a_starter_that_dies_at_any_point_loses_and_repeats_nothing(dynamodb, states, operation):
    starter = starter_of(dynamodb, states, most=1)
    dynamodb.dying = [operation]
    with pytest.raises(DiedError):
        starter.start(manual("r1"))
    starter.start(manual("r1"))
    assert [arn.rpartition(":")[2] for arn in states.started] == ["r1"]
    assert RunTable(dynamodb, TABLE).get("sales", "r1").status == "running"
    assert list(RunQueue(dynamodb, TABLE).active("sales")) == ["r1"]


def test_no_more_runs_than_allowed_are_active_however_many_are_asked_for_at_once(dynamodb, states):
    starter = starter_of(dynamodb, states, most=3)
    threads = [threading.Thread(target=starter.start, args=(manual(f"r{i}"),)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    table, queue = RunTable(dynamodb, TABLE), RunQueue(dynamodb, TABLE)
    assert len(states.started) == 3
    assert len(queue.active("sales")) == 3
    assert len(list(table.queued("sales"))) == 17


def test_queued_runs_begin_in_their_order_as_slots_come_free(dynamodb, states):
    clock = [NOW.timestamp()]
    starter = starter_of(dynamodb, states, most=1, now=lambda: clock[0])
    for name in ("b", "c", "a"):
        clock[0] += 1
        starter.start(manual(name))
    queue = RunQueue(dynamodb, TABLE)
    for _ in range(3):
        queue.free("sales", states.started[-1].rpartition(":")[2])
        starter.drain()
    assert [arn.rpartition(":")[2] for arn in states.started] == ["b", "c", "a"]
    assert starter.drain().status == "idle"
    assert RunTable(dynamodb, TABLE).get("sales", "a").queued == "2026-11-21T06:00:03.000+00:00"


def test_a_queued_run_that_is_asked_for_again_waits_once(dynamodb, states):
    starter = starter_of(dynamodb, states, most=1)
    starter.start(manual("r1"))
    answers = [starter.start(manual("r2")).status for _ in range(3)]
    assert answers == ["queued"] * 3
    assert [run.run_id for run in RunTable(dynamodb, TABLE).queued("sales")] == ["r2"]


def test_a_slot_that_came_free_before_the_run_was_in_the_queue_is_not_missed(dynamodb, states):
    starter_of(dynamodb, states, most=1).start(manual("r1"))

    class Queue(RunQueue):
        def enqueue(self, *arguments, **named):
            self.free("sales", "r1")  # the run ends right here, and finds nobody in the queue
            return super().enqueue(*arguments, **named)

    dag, runs = replace(DAG, max_active_runs=1), RunTable(dynamodb, TABLE)
    starter = Starter(dag, Machine(ALIAS, states), runs, Queue(dynamodb, TABLE))
    assert starter.start(manual("r2")).status == "started"


def test_a_run_that_is_asked_for_when_a_slot_comes_free_does_not_overtake_those_that_wait(dynamodb, states):
    clock = [NOW.timestamp()]
    starter = starter_of(dynamodb, states, most=1, now=lambda: clock[0])
    for name in ("r1", "r2"):
        clock[0] += 1
        starter.start(manual(name))
    RunQueue(dynamodb, TABLE).free("sales", "r1")
    clock[0] += 1
    assert starter.start(manual("r3")).status == "queued"
    assert [arn.rpartition(":")[2] for arn in states.started] == ["r1", "r2"]


def test_runs_that_wait_begin_when_the_dag_is_deployed_without_a_limit(dynamodb, states):
    for name in ("r1", "r2", "r3"):
        starter_of(dynamodb, states, most=1).start(manual(name))
    starter_of(dynamodb, states, most=None).drain()
    assert len(states.started) == 3
    assert list(RunTable(dynamodb, TABLE).queued("sales")) == []


def test_the_longest_input_fits_into_the_queue(dynamodb, states):
    starter = starter_of(dynamodb, states, most=1)
    starter.start(manual("r1"))
    quotes = manual("r2", uri='"' * 131_000)
    assert starter.start(quotes).status == "queued"
    waiting = RunQueue(dynamodb, TABLE).first("sales")
    assert len(waiting.request.encode()) < 300_000
    assert Request.from_json(waiting.request).input == quotes.input


def test_a_drain_that_dies_starts_nothing_twice(dynamodb, states):
    starter = starter_of(dynamodb, states, most=1)
    starter.start(manual("r1"))
    starter.start(manual("r2"))
    RunQueue(dynamodb, TABLE).free("sales", "r1")
    dynamodb.dying = ["put_item"]  # after the start, before the run leaves the queue
    with pytest.raises(DiedError):
        starter.drain()
    starter.drain()
    assert [arn.rpartition(":")[2] for arn in states.started] == ["r1", "r2"]
    assert list(RunTable(dynamodb, TABLE).queued("sales")) == []


def test_a_run_that_step_functions_does_not_start_stays_the_first_of_the_queue(dynamodb, states):
    starter = starter_of(dynamodb, states, most=1)
    states.refusals = [refused("ExecutionLimitExceeded")]
    with pytest.raises(StartRefusedError, match=r"ExecutionLimitExceeded.*it stays in the queue"):
        starter.start(manual("r1"))
    assert starter.start(manual("r2")).status == "queued"
    assert [arn.rpartition(":")[2] for arn in states.started] == ["r1"]


def test_a_run_that_step_functions_does_not_start_is_started_by_its_event_if_there_is_no_queue(
    dynamodb, states
):
    starter = starter_of(dynamodb, states)
    states.refusals = [refused("ExecutionLimitExceeded")]
    with pytest.raises(StartRefusedError, match="did not start run 'r1'"):
        starter.start(manual("r1"))
    assert RunTable(dynamodb, TABLE).get("sales", "r1") is None
    assert starter.start(manual("r1")).status == "started"


def test_a_start_whose_answer_was_lost_is_found_by_whoever_comes_next(dynamodb, states):
    starter = starter_of(dynamodb, states, most=1)
    states.losses = [ReadTimeoutError(endpoint_url="states")]
    with pytest.raises(ReadTimeoutError):
        starter.start(manual("r1"))
    assert starter.start(manual("r2")).status == "queued"
    assert starter.start(manual("r1")).status == "duplicate"
    assert [arn.rpartition(":")[2] for arn in states.started] == ["r1"]
    assert RunTable(dynamodb, TABLE).get("sales", "r1").status == "running"


def ended(dynamodb, states, status="failed"):
    table = RunTable(dynamodb, TABLE)
    run = table.get("sales", "r1")
    table.tell(
        ExecutionState(
            dag="sales",
            run_id="r1",
            execution=run.execution,
            status=status,
            started_ms=round(states.clock.timestamp() * 1000),
            ended_ms=round(states.clock.timestamp() * 1000) + 5,
        )
    )
    return table.get("sales", "r1")


def test_a_resumed_run_is_a_new_execution_with_the_same_params(dynamodb, states):
    starter = starter_of(dynamodb, states)
    starter.start(manual("r1", days=3))
    run = ended(dynamodb, states)
    states.end(states.started[0], "FAILED")
    states.clock = NOW.replace(hour=7)
    given = {"params": run.params, "logical_date": None}
    for _ in range(2):  # somebody clicks twice
        starter.start(resumed(run, given, "ana", "c2"))
    assert [arn.rpartition(":")[2] for arn in states.started] == ["r1", "r1-r1"]
    again = RunTable(dynamodb, TABLE).get("sales", "r1")
    assert (again.status, again.attempt, again.ended) == ("running", 2, None)
    assert json.loads(states.executions[again.execution]["input"]) == {
        "params": {"days": 3, "uri": ""},
        "run_id": "r1",
        "resume": True,
    }

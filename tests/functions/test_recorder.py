import functools
import json
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.recorder.deployed_dags import DeployedDags
from functions.recorder.reconciling import Reconciler
from functions.recorder.recording import Clients, Recorder
from functions.recorder.run_events import BusError
from stepweave.deployed.cleaning import cleanup_name
from stepweave.deployed.environment import DeployedDag
from stepweave.stores.objects import open_store
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import RunFacts, RunTable
from tests.functions.environment_fakes import (
    ALIAS,
    BEGAN,
    CLEANUP,
    MACHINE,
    STARTER,
    TABLE,
    Bus,
    DiedError,
    Functions,
    Topic,
    detail,
    refused,
    take_slot,
)

DAG = DeployedDag(dag="sales", machine=ALIAS, machines={"cleanup": CLEANUP}, starter=STARTER)
LATER = BEGAN + timedelta(minutes=5)
MUCH_LATER = BEGAN + timedelta(hours=3)


class Environment:
    """A recorder and what it speaks to."""

    def __init__(self, dynamodb, states, folder):
        self.states, self.dynamodb = states, dynamodb
        self.topic, self.functions, self.lines, self.bus = Topic(), Functions(), [], Bus()
        self.table, self.queue = RunTable(dynamodb, TABLE), RunQueue(dynamodb, TABLE)
        self.store = open_store(folder)
        self.clients = Clients(
            table=self.table,
            queue=self.queue,
            store=self.store,
            states=states,
            sns=self.topic,
            functions=self.functions,
            events=self.bus,
        )
        self.recorder = Recorder(
            "dev",
            self.clients,
            warn_topic="arn:aws:sns:::warn",
            bus="stepweave-dev",
            runbook="https://runbook",
            write_line=self.lines.append,
        )

    def start(self, name="r1", **parts):
        given = json.dumps({"params": {"days": 1}, "run_id": "r1", **parts}, sort_keys=True)
        self.states.start_execution(stateMachineArn=ALIAS, name=name, input=given)
        return self.states.started[-1]

    def tell(self, told):
        return self.recorder.tell(DAG, told)[0]

    def run(self, run_id="r1"):
        return self.table.get("sales", run_id)

    def marker(self, name="r1"):
        data = self.store.get_or_none(f"status/sales/{name}.json")
        return None if data is None else json.loads(data)


@pytest.fixture
def env(dynamodb, states, tmp_path):
    return Environment(dynamodb, states, str(tmp_path))


def test_a_run_that_succeeds_is_recorded_and_other_dags_can_see_it(env):
    arn = env.start(logical_date="2026-11-21T06:00:00+00:00")
    env.tell(detail(env.states.executions[arn]))
    assert (env.run().status, env.table.open_runs("sales")) == ("running", ["r1"])
    env.tell(env.states.end(arn, when=LATER))
    run = env.run()
    assert (run.status, run.ended, run.params) == ("success", "2026-11-21T06:05:00.000+00:00", {"days": 1})
    assert env.marker("2026-11-21T06:00:00+00:00") == {
        "run_id": "r1",
        "status": "success",
        "logical_date": "2026-11-21T06:00:00+00:00",
    }
    assert env.table.open_runs("sales") == []
    assert env.topic.published == []


def test_a_failed_run_is_told_of_with_its_tasks_and_where_to_look(env):
    arn = env.start()
    env.tell(env.states.end(arn, "FAILED", LATER, error="DagRunFailed", cause="failed: load, train"))
    (told,) = env.topic.published
    message = json.loads(told["Message"])
    notice = json.loads(message["default"])
    assert told["Subject"] == "[dev] sales failed: r1"
    assert (notice["failed"], notice["status"]) == (["load", "train"], "failed")
    assert notice["links"]["execution"].endswith(f"#/v2/executions/details/{arn}")
    assert notice["links"]["task logs"].endswith("log-group/$252Fstepweave$252Fdev$252Fsales$252Ftasks")
    assert "Tasks that failed: load, train" in message["email"]
    assert "stepweave resume r1 --env dev" in message["email"]
    assert env.marker()["status"] == "failed"


def test_the_end_of_a_run_is_announced_on_the_bus_without_its_params(env):
    arn = env.start()
    told = env.states.end(arn, "FAILED", LATER, error="DagRunFailed", cause="failed: load")
    env.bus.failing = True
    with pytest.raises(BusError, match="Throttled: later"):
        env.tell(told)
    env.bus.failing = False
    env.tell(told)
    env.tell(told)
    (entry,) = env.bus.entries
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "stepweave-dev",
        "stepweave",
        "Run Ended",
    )
    detail_told = json.loads(entry["Detail"])
    assert (detail_told["dag"], detail_told["status"], detail_told["failed"]) == ("sales", "failed", ["load"])
    assert "params" not in detail_told
    assert len(env.topic.published) == 1


def test_numbers_of_a_run_are_metrics_of_its_dag_and_of_all(env):
    arn = env.start(logical_date="2026-11-21T05:59:00+00:00")
    env.table.tell(
        env.tell(detail(env.states.executions[arn])), RunFacts(trigger='{"source": "schedule"}', by="x")
    )
    env.tell(env.states.end(arn, when=LATER))
    line = json.loads(env.lines[0])
    assert (line["RunsSucceeded"], line["RunSeconds"], line["ScheduleLagSeconds"]) == (1, 300.0, 60.0)
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Stepweave",
            "Dimensions": [["env"]],
            "Metrics": [{"Name": "RunsSucceeded", "Unit": "Count"}],
        },
        {
            "Namespace": "Stepweave",
            "Dimensions": [["env", "dag"]],
            "Metrics": [{"Name": "ScheduleLagSeconds", "Unit": "Seconds"}],
        },
    ]


@pytest.mark.parametrize(
    "status, error, is_cleaned",
    [
        ("ABORTED", "", True),
        ("TIMED_OUT", "", True),
        ("FAILED", "States.Runtime", True),
        ("FAILED", "DagRunFailed", False),
        ("SUCCEEDED", "", False),
    ],
)
def test_what_broke_off_is_cleaned_up_after_once(env, status, error, is_cleaned):
    arn = env.start()
    told = env.states.end(arn, status, LATER, error=error)
    for _ in range(3):
        env.tell(told)
    cleanups = [one for one in env.states.executions.values() if "cleanup" in one["stateMachineArn"]]
    assert len(cleanups) == is_cleaned
    if is_cleaned:
        assert (cleanups[0]["name"], json.loads(cleanups[0]["input"])["run_id"]) == ("r1-cleanup", "r1")


def test_names_of_cleanups_fit():
    assert cleanup_name("x" * 80, 0) != cleanup_name("x" * 79 + "y", 0)
    assert {len(cleanup_name("x" * size, 3)) <= 80 for size in range(60, 81)} == {True}


def history(env):
    """Details of all that happens to a run that fails, is resumed, redriven and succeeds; and of how it stands then."""
    first = env.start()
    told = [detail(env.states.executions[first])]
    told.append(env.states.end(first, "FAILED", LATER, error="DagRunFailed", cause="failed: load"))
    env.states.clock = BEGAN + timedelta(hours=1)
    second = env.start("r1-r1", resume=True)
    told.append(detail(env.states.executions[second]))
    told.append(env.states.end(second, "TIMED_OUT", BEGAN + timedelta(hours=2)))
    env.states.executions[second] |= {"status": "RUNNING", "redriveCount": 1, "stopDate": None}
    told.append(detail(env.states.executions[second]))
    told.append(env.states.end(second, "SUCCEEDED", MUCH_LATER))
    return told


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.lists(st.integers(0, 5), max_size=4).flatmap(lambda more: st.permutations([*range(6), *more]))
)
def test_any_order_and_number_of_events_leads_to_the_same_record(env, order):
    env.states.executions.clear()
    env.states.clock = BEGAN
    env.store.delete("status/sales/r1.json")
    env.table.client.delete_item(TableName=TABLE, Key={"pk": {"S": "DAG#sales"}, "sk": {"S": "RUN#r1"}})
    told = history(env)
    for index in order:
        env.tell(told[index])
    run = env.run()
    assert (run.status, run.is_handled) == ("success", True)
    assert (run.started, run.ended) == ("2026-11-21T07:00:00.000+00:00", "2026-11-21T09:00:00.000+00:00")
    assert (run.error, run.failed, run.attempt) == ("", frozenset(), 2)
    assert env.marker()["status"] == "success"
    assert env.table.open_runs("sales") == []


def test_the_late_news_of_an_end_does_not_free_the_slot_of_the_resumed_run(env):
    told = history(env)
    take_slot(env.dynamodb, "r1-r1")
    env.tell(told[2])
    env.tell(told[1])
    assert list(env.queue.active("sales")) == ["r1-r1"]
    assert env.run().status == "running"


def test_a_slot_that_comes_free_wakes_the_starter_when_a_run_waits(env):
    arn = env.start()
    take_slot(env.dynamodb, "r1")
    env.tell(env.states.end(arn))
    assert env.functions.invoked == []
    take_slot(env.dynamodb, "r2")
    env.queue.enqueue("sales", "r3", "{}", RunFacts(), 5)
    second = env.start("r2", run_id="r2")
    env.tell(env.states.end(second))
    assert env.functions.invoked == [(STARTER, {"source": "queue"})]


def test_a_recorder_that_dies_tells_everybody_the_next_time(env):
    arn = env.start()
    told = env.states.end(arn, "FAILED", LATER, error="DagRunFailed", cause="failed: load")
    publish = env.topic.publish
    env.topic.publish = functools.partial(die, "publish")
    with pytest.raises(DiedError):
        env.tell(told)
    env.topic.publish = publish
    env.tell(told)
    env.tell(told)
    assert len(env.topic.published) == 1
    assert len(env.lines) == 1


def die(name, **arguments):
    raise DiedError(name)


def test_a_run_inside_another_one_is_recorded_by_its_input_and_told_of_by_the_other(env):
    arn = env.start("5f0e-uuid", run_id="r1.child")
    env.tell(env.states.end(arn, "FAILED", LATER, error="DagRunFailed", cause="failed: load"))
    assert env.run("r1.child").status == "failed"
    assert env.marker("r1.child")["status"] == "failed"
    assert env.topic.published == []


def test_an_input_that_the_event_leaves_out_is_asked_for(env):
    arn = env.start("5f0e-uuid", run_id="r1.child")
    told = {**env.states.end(arn), "input": None, "inputDetails": {"included": False}}
    env.tell(told)
    assert env.run("r1.child").status == "success"


def test_a_run_without_an_id_has_the_name_of_its_execution(env):
    env.states.start_execution(stateMachineArn=ALIAS, name="by-console", input="{}")
    env.tell(detail(env.states.executions[env.states.started[-1]]))
    assert env.run("by-console").status == "running"


class Parameters:
    """A client of SSM that knows some DAGs, and counts how often it is asked."""

    def __init__(self, *dags):
        self.dags = list(dags)
        self.asked = 0

    def get_paginator(self, operation):
        assert operation == "get_parameters_by_path"
        return self

    def paginate(self, **asked):
        assert asked == {"Path": "/stepweave/dev/dags/", "Recursive": True}
        self.asked += 1
        return [{"Parameters": [{"Value": dag.to_json(), "LastModifiedDate": BEGAN} for dag in self.dags]}]


def test_dags_are_found_by_their_machine_whatever_arn_is_given():
    dags = DeployedDags(Parameters(DAG), "dev")
    found = [dags.of_machine(arn) for arn in (MACHINE, ALIAS, f"{MACHINE}:7", f"{MACHINE}--cleanup")]
    assert [dag and dag.dag for dag in found] == ["sales", "sales", "sales", None]


def test_a_dag_that_was_deployed_just_now_is_found():
    now = [0.0]
    parameters = Parameters()
    dags = DeployedDags(parameters, "dev", lambda: now[0])
    assert dags.of_machine(ALIAS) is None
    parameters.dags.append(DAG)
    assert dags.of_machine(ALIAS) is None
    now[0] = 30.0
    assert dags.of_machine(ALIAS).dag == "sales"
    now[0] = 200.0
    dags.of_machine(ALIAS)
    assert parameters.asked == 2


def reconcile(env, has_time=lambda: True):
    dags = DeployedDags(Parameters(DAG), "dev")
    now = MUCH_LATER.timestamp()
    return Reconciler(env.recorder, env.clients, dags, has_time=has_time, now=lambda: now).reconcile()


def test_the_reconciler_hears_of_ends_and_of_runs_that_no_event_told_of(env):
    known, unknown = env.start(), env.start("r2", run_id="r2")
    env.tell(detail(env.states.executions[known]))
    env.states.end(known, "FAILED", LATER, error="DagRunFailed", cause="failed: load")
    env.states.end(unknown, "ABORTED", LATER)
    assert reconcile(env)["records"] == 2
    assert (env.run("r1").status, env.run("r2").status) == ("failed", "cancelled")
    assert len(env.topic.published) == 1
    assert reconcile(env)["records"] == 0


def test_a_run_inside_another_one_is_news_to_the_reconciler_once(env):
    arn = env.start("5f0e-uuid", run_id="r1.child")
    env.states.end(arn, "SUCCEEDED", LATER)
    assert [reconcile(env)["records"] for _ in range(2)] == [1, 0]


def test_the_reconciler_asks_about_runs_that_are_not_among_the_latest(env):
    arn = env.start()
    env.tell(detail(env.states.executions[arn]))
    env.states.end(arn, "SUCCEEDED", LATER)
    env.states.list_executions = lambda **asked: {"executions": []}
    assert reconcile(env)["records"] == 1
    assert env.run().status == "success"


def test_the_reconciler_leaves_what_goes_on(env):
    arn = env.start()
    env.tell(detail(env.states.executions[arn]))
    assert reconcile(env) == {
        "dags": 1,
        "records": 0,
        "slots": 0,
        "queues": 0,
        "missed": 0,
        "queued": 0,
    }
    assert env.run().status == "running"


def test_the_reconciler_frees_slots_of_executions_that_do_not_run(env):
    began = round(BEGAN.timestamp() * 1000)
    running, over = env.start(), env.start("r2", run_id="r2")
    env.states.end(over)
    env.tell(detail(env.states.executions[running]))
    for name in ("r1", "r2", "never-began"):
        take_slot(env.dynamodb, name, began)
    take_slot(env.dynamodb, "just-now", round(MUCH_LATER.timestamp() * 1000))
    env.queue.enqueue("sales", "r9", "{}", RunFacts(), began)
    counts = reconcile(env)
    assert set(env.queue.active("sales")) == {"r1", "just-now"}
    assert (counts["queues"], env.functions.invoked[-1]) == (1, (STARTER, {"source": "queue"}))


def test_the_reconciler_stops_when_its_time_is_up(env):
    env.start()
    assert reconcile(env, has_time=lambda: False)["dags"] == 0


def test_other_errors_of_step_functions_are_not_swallowed(env):
    take_slot(env.dynamodb, "r1")

    def denied(**asked):
        raise refused("AccessDeniedException")

    env.states.describe_execution = denied
    with pytest.raises(Exception, match="AccessDeniedException"):
        reconcile(env)


def test_every_order_of_the_events_of_one_execution_tells_people_once(env):
    arn = env.start()
    began = detail(env.states.executions[arn])
    ended = env.states.end(arn, "FAILED", LATER, error="DagRunFailed", cause="failed: load")
    for order in permutations([began, ended, ended]):
        for told in order:
            env.tell(told)
    assert len(env.topic.published) == 1


NIGHTLY = DeployedDag(dag="sales", machine=ALIAS, starter=STARTER, schedule="cron(30 9 * * *) Europe/Berlin")
"""08:30 UTC, half an hour before the reconciler looks."""


def missed_of(env, dag):
    dags = DeployedDags(Parameters(dag), "dev")
    now = MUCH_LATER.timestamp()
    reconciler = Reconciler(env.recorder, env.clients, dags, has_time=lambda: True, now=lambda: now)
    return reconciler.reconcile()["missed"]


def test_a_schedule_that_started_nothing_is_missed(env):
    assert missed_of(env, NIGHTLY) == 1


def test_a_schedule_that_started_its_run_is_not_missed(env):
    arn = env.start("scheduled-20261121T083000Z", run_id="scheduled-20261121T083000Z")
    env.tell(detail(env.states.executions[arn]))
    assert missed_of(env, NIGHTLY) == 0


@pytest.mark.parametrize(
    "schedule",
    ["cron(50 9 * * *) Europe/Berlin", "cron(30 6 * * *) UTC", "rate(900 s)", "cron(0 0 29 2 *) UTC", ""],
)
def test_a_schedule_that_is_not_due_long_enough_or_has_no_known_moment_is_not_missed(env, schedule):
    dag = DeployedDag(dag="sales", machine=ALIAS, starter=STARTER, schedule=schedule)
    assert missed_of(env, dag) == 0

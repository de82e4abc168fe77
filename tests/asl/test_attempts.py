"""How a task is attempted: retries by class, being put off, optional tasks, ladders, hedges, replicas, sensors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepweave.compiler import compile_graph
from stepweave.engine.failures import StateError
from stepweave.graph.constructs import Breaker, Decision, Rung, Sensor
from stepweave.graph.model import Resources, RetryPolicy
from tests.asl.scripted import SUCCESS, dag, error, in_turn, run_scripted, task

QUIET = RetryPolicy(attempts=2, delay_seconds=10, backoff=1.0, jitter=False, on=("TransientError",))
BATCH = Resources(gpu=1)


# Retries.


def test_each_policy_is_a_retrier_that_counts_for_itself() -> None:
    other = RetryPolicy(attempts=1, delay_seconds=100, jitter=False, on=("OutOfStock",))
    answers = in_turn(error("TransientError"), error("OutOfStock"), error("TransientError"), SUCCESS)
    ran = run_scripted(dag(task("a", retry=QUIET, other_retries=(other,))), {"a": answers})
    assert ran.outcome == ("SUCCEEDED", None)
    assert ran.seconds == pytest.approx(10 + 100 + 10)
    assert ran.of("a")[0]["errors"] == ["OutOfStock"]


@pytest.mark.parametrize("attempts", [0, 2])
def test_a_job_that_batch_does_not_take_for_now_is_submitted_again_at_the_cost_of_no_attempt(
    attempts: int,
) -> None:
    throttled = StateError(
        "Batch.AWSBatchException", "Too Many Requests (Service: AWSBatch; Status Code: 429)"
    )
    answers = in_turn(throttled, throttled, throttled, {"Status": "SUCCEEDED"})
    ran = run_scripted(
        dag(task("a", resources=BATCH, retry=RetryPolicy(attempts=attempts, delay_seconds=1000))),
        {"a": {"uri": "x"}},
        jobs={"JobDefinition_a": answers},
    )
    assert (ran.outcome, ran.jobs) == (("SUCCEEDED", None), ["JobDefinition_a"] * 4)
    assert ran.seconds < 1000


def test_a_signal_that_did_not_arrive_is_sent_again_whatever_became_of_it() -> None:
    lost = [error("ProvisionedThroughputExceededException"), error("Sandbox.Timedout"), error("KeyError")]
    ran = run_scripted(dag(task("a"), task("b"), task("c", "a", "b"), task("d", "b")), lost=lost)
    assert ran.compiled.report.signals == 1
    assert (ran.outcome, len(ran.of("c"))) == (("SUCCEEDED", None), 1)
    assert ran.seconds < 60


def test_an_error_that_no_policy_names_is_not_retried() -> None:
    ran = run_scripted(dag(task("a", retry=QUIET)), {"a": error("DataError")})
    assert (len(ran.events), ran.outcome) == (1, ("FAILED", "failed: a"))


@pytest.mark.parametrize(
    "killed", ["ResourceError", "Runtime.OutOfMemory", "Runtime.ExitError", "Lambda.Unknown"]
)
def test_an_attempt_that_was_killed_is_retried_as_one_that_lacked_memory(killed: str) -> None:
    ran = run_scripted(dag(task("a", retry=RetryPolicy(attempts=1))), {"a": in_turn(error(killed), SUCCESS)})
    assert (len(ran.events), ran.outcome) == (2, ("SUCCEEDED", None))
    other = run_scripted(dag(task("a", retry=QUIET)), {"a": in_turn(error(killed), SUCCESS)})
    assert (len(other.events), other.outcome) == (1, ("FAILED", "failed: a"))


def test_a_plain_task_tells_the_runtime_nothing_that_it_does_not_need() -> None:
    (event,) = run_scripted(dag(task("a"))).events
    assert set(event) == {"task", "call", "run", "attempt", "args"}


# RetryAfter.


def test_an_attempt_that_asks_to_be_put_off_is_made_again_after_that_time() -> None:
    answers = in_turn(error("RetryAfter", seconds=1234, message="busy"), SUCCESS)
    ran = run_scripted(dag(task("a", retry=QUIET)), {"a": answers})
    assert (ran.outcome, ran.seconds) == (("SUCCEEDED", None), pytest.approx(1234))
    assert [event["later"] for event in ran.events] == [0, 1]
    assert ran.events[0]["later_most"] == 2
    assert ran.transitions == run_scripted(dag(task("a", retry=QUIET))).transitions + 2


def test_attempts_are_counted_through_waits() -> None:
    answers = in_turn(
        error("TransientError"), error("RetryAfter", seconds=5), error("TransientError"), SUCCESS
    )
    ran = run_scripted(dag(task("a", retry=QUIET)), {"a": answers})
    assert [event["attempt"] for event in ran.events] == [0, 1, 2, 3]


def test_being_put_off_costs_nothing_when_it_does_not_happen() -> None:
    assert run_scripted(dag(task("a", retry=QUIET))).transitions == 2


def test_the_count_of_a_task_does_not_count_for_the_next_one() -> None:
    busy = in_turn(error("RetryAfter", seconds=5), error("RetryAfter", seconds=5), SUCCESS)
    ran = run_scripted(dag(task("a", retry=QUIET), task("b", "a", retry=QUIET)), {"a": busy})
    assert [(event["task"], event["later"]) for event in ran.events] == [
        ("a", 0),
        ("a", 1),
        ("a", 2),
        ("b", 0),
    ]


def test_a_text_without_a_time_means_a_minute() -> None:
    ran = run_scripted(dag(task("a", retry=QUIET)), {"a": in_turn(error("RetryAfter"), SUCCESS)})
    assert ran.seconds == pytest.approx(60)


def test_a_task_without_retries_is_not_put_off() -> None:
    ran = run_scripted(dag(task("a")), {"a": error("RetryAfter", seconds=5)})
    assert (ran.outcome, "later" in ran.events[0]) == (("FAILED", "failed: a"), False)


def test_a_job_is_put_off_as_well() -> None:
    def runner(event: dict[str, Any]) -> Any:
        if "prepare" in event:
            return {"uri": f"key {event['later']}"}
        return error("RetryAfter", seconds=300) if event.get("collect") else SUCCESS

    jobs = {"JobDefinition_a": in_turn(error("failed"), {"Status": "SUCCEEDED"})}
    policy = RetryPolicy(attempts=1, jitter=False, delay_seconds=1, on=("DataError",))
    jobs = {"JobDefinition_a": in_turn(error("failed"), error("failed"), {"Status": "SUCCEEDED"})}
    ran = run_scripted(dag(task("a", resources=BATCH, retry=policy)), {"a": runner}, jobs=jobs)
    assert ran.outcome == ("SUCCEEDED", None)
    assert ran.seconds == pytest.approx(1 + 300)
    assert [event["later"] for event in ran.events if "prepare" in event] == [0, 1]


# Optional tasks, and too many failures.


def test_a_failure_of_an_optional_task_is_a_skip() -> None:
    graph = dag(task("a", optional=True), task("b", "a"), task("c", "a", trigger_rule="none_failed"))
    ran = run_scripted(graph, {"a": error("PermanentError")})
    assert ([event["task"] for event in ran.events], ran.outcome) == (["a", "c"], ("SUCCEEDED", None))


def test_what_is_not_begun_after_too_many_failures_has_not_failed_itself() -> None:
    graph = dag(task("a"), task("b"), max_failed_tasks=0)
    ran = run_scripted(graph, {"a": error("DataError"), "b": error("RunStopped")})
    assert ran.outcome == ("FAILED", "failed: a")
    assert ran.events[0]["max_failed"] == 0


def test_the_runtime_is_told_which_failure_is_the_last() -> None:
    graph = dag(
        task("a", retry=QUIET),
        task("b", optional=True),
        task("c", ladder=(Rung(call="m:d", resources=Resources(), on="resource"),)),
        max_failed_tasks=3,
    )
    events = {event["task"]: event for event in run_scripted(graph).events}
    assert events["a"]["max_failed"] == 3
    assert events["a"]["tries"] == {"TransientError": 2}
    assert "tries" not in events["b"]
    assert events["c"]["tries"] == {"ResourceError": 10**9}


def test_a_tear_down_is_never_stopped_by_failures() -> None:
    down = task("down", "a", teardown=True, trigger_rule="all_done")
    (event,) = run_scripted(dag(task("a"), down, max_failed_tasks=0)).of("down")
    assert "max_failed" not in event


def test_options_that_only_the_runtime_minds_are_in_the_event() -> None:
    rung = Rung(call="stepweave.recipes.fallbacks:last_good", resources=Resources())
    options = {"breaker": Breaker(name="api", failures=2, reset_seconds=9), "heartbeat_seconds": 30}
    (event,) = run_scripted(dag(task("a", ladder=(rung,), **options))).events
    assert event["breaker"] == {"name": "api", "failures": 2, "reset": 9}
    assert (event["heartbeat"], event["remember"]) == (30, True)


# Decisions.


def test_a_branch_is_told_which_answers_are_allowed() -> None:
    ran = run_scripted(dag(task("a", decides=Decision(kind="branch", cases=("b", "c")))))
    assert ran.events[0]["chooses"] == {"kind": "branch", "cases": ["b", "c"]}


# Ladders.

BIGGER = Rung(call="m:a", resources=Resources(memory_mib=8_192), on="resource", label="8 GiB")
JOB = Rung(call="m:a", resources=Resources(memory_mib=61_440), on="resource", label="60 GiB")
LESSER = Rung(call="m:lesser", resources=Resources(), label="lesser")


def test_a_lesser_function_is_not_behind_the_circuit_breaker_of_the_task() -> None:
    graph = dag(task("a", breaker=Breaker(name="rates"), ladder=(BIGGER, LESSER)))
    ran = run_scripted(graph, {"a": in_turn(error("ResourceError"), error("TransientError"), SUCCESS)})
    assert ran.outcome == ("SUCCEEDED", None)
    assert ["breaker" in event for event in ran.events] == [True, True, False]


def test_a_ladder_costs_nothing_on_success() -> None:
    assert run_scripted(dag(task("a", ladder=(BIGGER, JOB, LESSER)))).transitions == 2


@pytest.mark.parametrize(
    "killed", ["ResourceError", "Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown"]
)
def test_running_out_of_memory_leads_to_the_next_rung(killed: str) -> None:
    ran = run_scripted(dag(task("a", ladder=(BIGGER, LESSER))), {"a": in_turn(error(killed), SUCCESS)})
    assert ran.states == ["start run", "a", "a: level 1"]
    assert ran.events[1]["rung"] == {"level": 1, "label": "8 GiB"}
    state = ran.compiled.machines.definitions[""]["States"]["a: level 1"]
    assert state["Arguments"]["FunctionName"] == "${TaskRunner8192}"


def test_another_error_passes_over_the_rungs_that_only_bring_memory() -> None:
    graph = dag(task("a", ladder=(BIGGER, JOB, LESSER)))
    ran = run_scripted(graph, {"a": in_turn(error("DataError"), SUCCESS)})
    assert ran.states == ["start run", "a", "a: level 3"]
    assert (ran.events[1]["call"], ran.events[1]["task"]) == ("m:lesser", "a")


def test_a_rung_may_be_a_job_with_a_definition_of_its_own() -> None:
    ran = run_scripted(
        dag(task("a", ladder=(JOB,))),
        {"a": lambda event: {"uri": "x"} if "prepare" in event else error("ResourceError")},
    )
    assert (ran.jobs, ran.outcome) == (["JobDefinition_a_level_1"], ("SUCCEEDED", None))
    assert ran.states == ["start run", "a", "a: level 1: prepare", "a: level 1"]


def test_a_job_killed_for_its_memory_climbs_too() -> None:
    def runner(event: dict[str, Any]) -> Any:
        if "prepare" in event:
            return {"uri": "x"}
        if "collect" in event:
            assert "OutOfMemoryError: Container killed" in event["cause"]
            return error("ResourceError")
        return SUCCESS

    killed = {"Container": {"Reason": "OutOfMemoryError: Container killed due to memory usage"}}
    ran = run_scripted(
        dag(task("a", resources=BATCH, ladder=(BIGGER,))),
        {"a": runner},
        jobs={"JobDefinition_a": error("failed", **killed)},
    )
    assert ran.outcome == ("SUCCEEDED", None)
    assert ran.states[-1] == "a: level 1"


def test_a_task_whose_last_rung_fails_has_failed() -> None:
    graph = dag(task("a", ladder=(LESSER, BIGGER)), task("b", "a", trigger_rule="one_failed"))
    ran = run_scripted(graph, {"a": error("DataError")})
    assert [event["task"] for event in ran.events] == ["a", "a", "b"]


@pytest.mark.parametrize("fail_fast", [False, True])
def test_a_skip_is_no_reason_to_try_a_lesser_function(fail_fast: bool) -> None:
    ran = run_scripted(dag(task("a", ladder=(LESSER,)), fail_fast=fail_fast), {"a": error("Skip")})
    assert len(ran.events) == 1
    assert ran.execution.error is None


# Hedged attempts.


def test_a_hedged_task_that_is_fast_enough_runs_once_and_costs_three_more_transitions() -> None:
    graph = dag(task("a", hedge_seconds=60), task("b", "a"))
    ran = run_scripted(graph, {"a": (50, SUCCESS)})
    assert (ran.seconds, [event["task"] for event in ran.events]) == (pytest.approx(50), ["a", "b"])
    assert ran.transitions == 3 + 3
    assert ran.events[1]["records"] == {"a": SUCCESS}


def test_the_second_attempt_wins_where_the_first_takes_too_long() -> None:
    ran = run_scripted(dag(task("a", hedge_seconds=60)), {"a": in_turn((5_000, SUCCESS), (7, SUCCESS))})
    assert (ran.outcome, ran.seconds) == (("SUCCEEDED", None), pytest.approx(67))


def test_a_hedged_task_fails_only_if_both_attempts_fail() -> None:
    once = run_scripted(dag(task("a", hedge_seconds=60)), {"a": in_turn(error("DataError"), SUCCESS)})
    twice = run_scripted(dag(task("a", hedge_seconds=60)), {"a": error("DataError")})
    assert (once.outcome, twice.outcome) == (("SUCCEEDED", None), ("FAILED", "failed: a"))


def test_a_skip_of_one_attempt_is_the_end_of_a_hedged_task() -> None:
    graph = dag(task("a", hedge_seconds=60), task("b", "a", trigger_rule="all_skipped"))
    ran = run_scripted(graph, {"a": error("Skip")})
    assert ([event["task"] for event in ran.events], ran.seconds) == (["a", "b"], pytest.approx(0))


def test_a_part_of_a_hedged_value_that_a_condition_reads_is_collected_exactly() -> None:
    exact = {"status": "success", "fields": {"x": 0.30000000000000004}}
    ran = run_scripted(dag(task("a", hedge_seconds=60, fields=(("x",),)), task("b", "a")), {"a": exact})
    assert [event.get("collect", False) for event in ran.of("a")] == [False, True]
    assert ["fields" in event for event in ran.of("a")] == [False, True]
    assert ran.transitions == 3 + 4


def test_a_job_of_a_race_is_collected_once_when_it_has_won() -> None:
    graph = dag(task("a", hedge_seconds=60, resources=BATCH, fields=(("x",),)), task("b", "a"))
    ran = run_scripted(graph, {"a": lambda event: {"uri": "x"} if "prepare" in event else SUCCESS})
    assert [event.get("collect", False) for event in ran.of("a")] == [False, True]
    assert ran.transitions == ran.compiled.report.transitions == 3 + 5


def test_a_hedged_value_fits_into_a_cause() -> None:
    value = json.dumps(['"\\' * 1_990])
    assert len(value) <= 12_000
    ran = run_scripted(
        dag(task("a", hedge_seconds=60), task("b", "a")), {"a": {"status": "success", "value": value}}
    )
    assert ran.events[0]["inline"] == 12_000
    assert ran.of("b")[0]["records"]["a"]["value"] == value


def test_a_hedged_task_may_have_a_ladder() -> None:
    graph = dag(task("a", hedge_seconds=60, ladder=(BIGGER, LESSER)))
    memory = run_scripted(graph, {"a": in_turn(error("ResourceError"), error("DataError"), SUCCESS)})
    other = run_scripted(graph, {"a": in_turn(error("DataError"), error("DataError"), SUCCESS)})
    assert (memory.states[-1], other.states[-1]) == ("a: level 1", "a: level 2")
    assert memory.execution.status == other.execution.status == "SUCCEEDED"


def test_without_catchers_a_hedged_task_fails_the_run_with_its_error() -> None:
    ran = run_scripted(dag(task("a", hedge_seconds=60), fail_fast=True), {"a": error("DataError")})
    assert (ran.execution.status, ran.execution.error) == ("FAILED", "DataError")


# Replicas.


def test_the_quorum_call_follows_when_all_replicas_have_ended() -> None:
    answers = in_turn((10, SUCCESS), (30, error("DataError")), (20, SUCCESS), SUCCESS)
    ran = run_scripted(dag(task("a", replicas=3, quorum=2)), {"a": answers})
    assert [event.get("replica") for event in ran.events] == [1, 2, 3, None]
    assert ran.events[-1]["quorum"] == {"of": 3, "need": 2}
    assert (ran.outcome, ran.seconds) == (("SUCCEEDED", None), pytest.approx(30))


def test_replicas_cost_a_parallel_and_the_quorum_call() -> None:
    assert run_scripted(dag(task("a", replicas=3, quorum=2))).transitions == 1 + 1 + 3 + 1


def test_without_agreement_the_task_has_failed() -> None:
    ran = run_scripted(
        dag(task("a", replicas=2, quorum=2)),
        {"a": lambda event: error("PermanentError") if "quorum" in event else SUCCESS},
    )
    assert ran.outcome == ("FAILED", "failed: a")


def test_a_skip_of_one_replica_is_that_of_the_task() -> None:
    graph = dag(task("a", replicas=2, quorum=2), task("b", "a", trigger_rule="all_skipped"))
    ran = run_scripted(graph, {"a": in_turn(SUCCESS, error("Skip"))})
    assert ran.events[-1]["task"] == "b"


def test_of_replicas_with_a_quorum_of_one_the_first_to_succeed_counts() -> None:
    answers = in_turn((10, SUCCESS), (3, error("DataError")), (5, SUCCESS))
    ran = run_scripted(dag(task("a", replicas=3)), {"a": answers})
    assert (ran.outcome, ran.seconds) == (("SUCCEEDED", None), pytest.approx(5))


# Sensors.


def test_a_sensor_pokes_by_retries_for_one_transition() -> None:
    sensor = Sensor(interval_seconds=30, timeout_seconds=600)
    ran = run_scripted(
        dag(task("a", sensor=sensor)), {"a": in_turn(error("NotYet"), error("NotYet"), SUCCESS)}
    )
    assert (ran.seconds, ran.transitions, len(ran.events)) == (pytest.approx(60), 2, 3)
    told = ran.events[0]["sensor"]
    assert (told["timeout"], told["soft"], told["entered"][:2]) == (600, False, "20")


def test_a_sensor_that_is_told_to_give_up_fails() -> None:
    sensor = Sensor(interval_seconds=30, timeout_seconds=600)
    ran = run_scripted(dag(task("a", sensor=sensor)), {"a": in_turn(error("NotYet"), error("SensorTimeout"))})
    assert ran.outcome == ("FAILED", "failed: a")


@pytest.mark.parametrize(
    "sensor, pokes",
    [
        (Sensor(interval_seconds=60, timeout_seconds=600), 10),
        (Sensor(interval_seconds=70, timeout_seconds=600), 9),
        (Sensor(interval_seconds=10, backoff=2.0, timeout_seconds=150), 4),
        (Sensor(interval_seconds=10, backoff=2.0, max_interval_seconds=40, timeout_seconds=150), 5),
        (Sensor(interval_seconds=100, max_interval_seconds=50, timeout_seconds=150), 3),
    ],
)
def test_a_sensor_may_poke_until_its_time_is_up(sensor: Sensor, pokes: int) -> None:
    ran = run_scripted(dag(task("a", sensor=sensor)), {"a": error("NotYet")})
    assert len(ran.events) == pokes + 1
    assert ran.seconds >= sensor.timeout_seconds


# The plan.


@pytest.mark.parametrize(
    "options",
    [
        {"retry": QUIET},
        {"ladder": (BIGGER, JOB, LESSER)},
        {"resources": BATCH, "retry": QUIET, "ladder": (BIGGER,)},
        {"hedge_seconds": 60},
        {"hedge_seconds": 60, "fields": (("x",),), "ladder": (LESSER,)},
        {"replicas": 3, "quorum": 2},
        {"sensor": Sensor(interval_seconds=30, timeout_seconds=600)},
    ],
    ids=lambda options: "+".join(options),
)
def test_the_plan_tells_the_transitions(options: dict[str, Any]) -> None:
    graph = dag(task("before"), task("a", "before", **options), task("after", "a"))
    ran = run_scripted(graph, {"a": lambda event: {"uri": "x"} if "prepare" in event else (1, SUCCESS)})
    assert ran.transitions == ran.compiled.report.transitions


def test_what_may_be_put_off_counts_in_the_history_as_often_as_it_may_run() -> None:
    report = compile_graph(dag(task("a", retry=QUIET))).report
    ending = 2 + 2 + 1
    assert report.history_events == 2 + 2 + 3 * (5 + 3 * (6 + 2) + 2) + ending

"""Retry and Catch: which errors match, when the next attempt comes, who counts."""

from typing import Any

import pytest

from stepweave.engine.failures import FunctionError, StateError, matches
from tests.engine.building import Lab, block, call, failing, machine, passing, result_of, run


def retried(*retriers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return machine(("t", call("work", Retry=list(retriers), Output="{% $states.result.Payload %}", **fields)))


def waits(lab: Lab) -> list[float | None]:
    return [event.delay_seconds for event in lab.events if event.kind == "task_retrying"]


@pytest.mark.parametrize(
    "error,names,expected",
    [
        ("Custom", ["Custom"], True),
        ("Custom", ["Other"], False),
        ("Custom", ["States.ALL"], True),
        ("Custom", ["States.TaskFailed"], True),
        (None, ["States.ALL"], True),
        ("States.Timeout", ["States.ALL"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.DataLimitExceeded", ["States.ALL"], False),
        ("States.DataLimitExceeded", ["States.DataLimitExceeded"], True),
        ("States.Runtime", ["States.ALL", "States.TaskFailed", "States.Runtime"], False),
        ("States.QueryEvaluationError", ["States.ALL"], True),
        ("States.QueryEvaluationError", ["States.TaskFailed"], False),
    ],
)
def test_error_names_match_as_aws_documents(error: str | None, names: list[str], expected: bool) -> None:
    assert matches(StateError(error), frozenset(names)) is expected


@pytest.mark.parametrize(
    "name,expected",
    [("States.Timeout", True), ("States.HeartbeatTimeout", True), ("States.TaskFailed", False)],
)
def test_a_missed_heartbeat_has_two_names(name: str, expected: bool) -> None:
    assert matches(StateError("States.Timeout", None, "heartbeat"), frozenset([name])) is expected


def test_a_time_limit_is_no_missed_heartbeat() -> None:
    assert not matches(StateError("States.Timeout"), frozenset(["States.HeartbeatTimeout"]))


def test_a_retrier_waits_longer_each_time_up_to_its_ceiling() -> None:
    retrier = {
        "ErrorEquals": ["ValueError"],
        "IntervalSeconds": 3,
        "BackoffRate": 2,
        "MaxDelaySeconds": 10,
        "MaxAttempts": 4,
    }
    lab = Lab({"main": retried(retrier)}, {"work": failing(ValueError("no"), times=4)})
    assert lab.run().output == "done"
    assert waits(lab) == [3, 6, 10, 10]
    assert lab.clock.elapsed == 29


def test_the_defaults_are_three_attempts_one_second_and_doubling() -> None:
    lab = Lab({"main": retried({"ErrorEquals": ["States.ALL"]})}, {"work": failing(ValueError("no"))})
    assert lab.run().error == "ValueError"
    assert waits(lab) == [1, 2, 4]


def test_zero_attempts_means_never_also_when_a_later_retrier_matches() -> None:
    retriers = ({"ErrorEquals": ["ValueError"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]})
    lab = Lab({"main": retried(*retriers)}, {"work": failing(ValueError("no"))})
    assert lab.run().status == "FAILED"
    assert waits(lab) == []


def test_each_retrier_counts_for_itself() -> None:
    errors = iter([ValueError("v"), KeyError("k"), ValueError("v"), KeyError("k")])

    async def work(event: Any) -> str:
        for error in errors:
            raise error
        return "done"

    lab = Lab(
        {
            "main": retried(
                {"ErrorEquals": ["ValueError"], "MaxAttempts": 2, "IntervalSeconds": 1},
                {"ErrorEquals": ["KeyError"], "MaxAttempts": 2, "IntervalSeconds": 10},
            )
        },
        {"work": work},
    )
    assert lab.run().output == "done"
    assert waits(lab) == [1, 10, 2, 20]


def test_counters_start_anew_when_the_state_is_entered_again() -> None:
    calls = 0

    async def work(event: Any) -> int:
        nonlocal calls
        calls += 1
        if calls % 3:
            raise ValueError("twice of three")
        return calls

    task = call(
        "work",
        Retry=[{"ErrorEquals": ["ValueError"], "MaxAttempts": 2}],
        Output="{% $states.result.Payload %}",
    )
    again = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input < 6 %}", "Next": "t"}],
        "Default": "end",
    }
    assert result_of(machine(("t", task), ("again", again), ("end", passing())), work=work) == 6


def test_full_jitter_waits_between_nothing_and_the_delay_the_same_for_a_seed() -> None:
    retrier = {
        "ErrorEquals": ["ValueError"],
        "IntervalSeconds": 8,
        "JitterStrategy": "FULL",
        "MaxAttempts": 5,
    }

    def delays(seed: int) -> list[float | None]:
        lab = Lab({"main": retried(retrier)}, {"work": failing(ValueError("no"))}, seed=seed)
        lab.run()
        return waits(lab)

    first = delays(1)
    assert all(0 <= delay <= 8 * 2**number for number, delay in enumerate(first))
    assert first == delays(1) != delays(2)
    assert len(set(first)) == 5


def test_the_retry_count_is_in_the_context_and_arguments_are_computed_anew() -> None:
    seen: list[int] = []

    async def work(event: Any) -> None:
        seen.append(event)
        raise ValueError("no")

    task = call("work", "{% $states.context.State.RetryCount %}", Retry=[{"ErrorEquals": ["ValueError"]}])
    run(machine(("t", task)), work=work)
    assert seen == [0, 1, 2, 3]


def test_an_exhausted_retrier_leaves_the_error_to_a_catcher() -> None:
    fields = {"Catch": [{"ErrorEquals": ["ValueError"], "Next": "after"}]}
    task = call("work", Retry=[{"ErrorEquals": ["ValueError"], "MaxAttempts": 1}], **fields)
    output = result_of(machine(("t", task), ("after", passing())), work=failing(ValueError("bad")))
    assert output["Error"] == "ValueError"
    assert '"errorMessage": "bad"' in output["Cause"]


def test_the_first_catcher_that_matches_is_taken() -> None:
    catch = [{"ErrorEquals": ["KeyError"], "Next": "key"}, {"ErrorEquals": ["States.ALL"], "Next": "all"}]
    definition = machine(
        ("t", call("work", Catch=catch)),
        ("key", passing(Output="key", End=True)),
        ("all", passing(Output="all")),
    )
    assert result_of(definition, work=failing(KeyError("k"))) == "key"
    assert result_of(definition, work=failing(ValueError("v"))) == "all"


def test_a_catcher_computes_its_output_from_input_and_error() -> None:
    output = {"why": "{% $states.errorOutput.Cause %}", "what": "{% $states.input.x %}"}
    catch = [{"ErrorEquals": ["Own"], "Next": "after", "Output": output}]
    definition = machine(("t", call("work", Catch=catch)), ("after", passing()))
    assert result_of(definition, {"x": 1}, work=failing(FunctionError("Own", "because"))) == {
        "why": "because",
        "what": 1,
    }


def test_an_error_inside_a_catcher_fails_the_execution() -> None:
    catch = [
        {"ErrorEquals": ["ValueError"], "Next": "after", "Output": "{% $nothing %}"},
        {"ErrorEquals": ["States.ALL"], "Next": "after"},
    ]
    definition = machine(("t", call("work", Catch=catch)), ("after", passing()))
    assert run(definition, work=failing(ValueError("v"))).error == "States.QueryEvaluationError"


def test_a_failing_expression_of_a_task_can_be_retried_and_caught() -> None:
    catch = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "after"}]
    task = call(
        "work", "{% $nothing %}", Catch=catch, Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    )
    lab = Lab(
        {"main": machine(("t", task), ("after", passing(Output="caught")))},
        {"work": failing(ValueError("v"))},
    )
    assert lab.run().output == "caught"
    assert waits(lab) == [1]


def test_a_parallel_is_retried_as_a_whole() -> None:
    branches = [block(("a", call("work"))), block(("b", passing(Output="b")))]
    parallel = {"Type": "Parallel", "Branches": branches, "Retry": [{"ErrorEquals": ["ValueError"]}]}
    lab = Lab({"main": machine(("p", parallel))}, {"work": failing(ValueError("v"), times=2, then="a")})
    assert lab.run().output == [{"ExecutedVersion": "$LATEST", "Payload": "a", "StatusCode": 200}, "b"]
    assert lab.clock.elapsed == 3

"""Step Functions' limits on payloads and variables."""

from typing import Any

import pytest

from stepweave.engine.payload import PAYLOAD_BYTES
from stepweave.errors import UsageError
from tests.engine.building import Lab, block, call, echo, machine, passing, result_of, run

FITS = "x" * (PAYLOAD_BYTES - 2)


@pytest.mark.parametrize(
    "state",
    [
        passing(Output={"twice": ["{% $states.input %}", "{% $states.input %}"]}),
        passing(Assign={"twice": "{% [$states.input, $states.input] %}"}),
        call("echo", ["{% $states.input %}", "{% $states.input %}"]),
        call("double"),
        {"Type": "Parallel", "Branches": [block(("a", passing())), block(("b", passing()))]},
    ],
)
def test_what_outgrows_256_kib_fails_with_data_limit_exceeded(state: dict[str, Any]) -> None:
    async def double(event: Any) -> str:
        return FITS * 2

    execution = run(machine(("state", state)), FITS, echo=echo, double=double)
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")


def test_what_just_fits_passes() -> None:
    assert result_of(machine(("a", passing())), FITS) == FITS


def test_sizes_are_those_of_utf_8() -> None:
    twice = passing(Output="{% $states.input & $states.input %}")
    assert run(machine(("a", twice)), "é" * (PAYLOAD_BYTES // 4)).error == "States.DataLimitExceeded"


def test_an_input_that_is_too_large_starts_nothing() -> None:
    lab = Lab({"main": machine(("a", passing()))})
    with pytest.raises(UsageError, match=r"has 262,145 bytes; an execution takes 262,144 at most"):
        lab.run(FITS + "x")
    assert lab.engine.executions == {}


@pytest.mark.parametrize("names", [["States.ALL"], ["States.TaskFailed"], ["States.DataLimitExceeded"]])
def test_a_result_that_is_too_large_is_caught_by_the_wildcards_too(names: list[str]) -> None:
    async def double(event: Any) -> str:
        return FITS * 2

    task = call("double", Catch=[{"ErrorEquals": names, "Next": "after", "Output": "caught"}])
    assert result_of(machine(("t", task), ("after", passing())), double=double) == "caught"


@pytest.mark.parametrize("name,status", [("States.ALL", "FAILED"), ("States.DataLimitExceeded", "SUCCEEDED")])
def test_other_data_limits_are_caught_by_their_name_only(name: str, status: str) -> None:
    large = block(("a", passing(Output="{% $states.input & $states.input %}")))
    catch = [{"ErrorEquals": [name], "Next": "after", "Output": "caught"}]
    parallel = {"Type": "Parallel", "Branches": [large], "Catch": catch}
    assert run(machine(("p", parallel), ("after", passing())), FITS).status == status


def test_all_variables_together_hold_10_mib() -> None:
    many = [(f"s{number}", passing(Assign={f"v{number}": "{% $states.input %}"})) for number in range(41)]
    assert run(machine(*many[:39]), FITS).status == "SUCCEEDED"
    assert run(machine(*many), FITS).error == "States.DataLimitExceeded"


def test_variables_that_are_replaced_or_dead_do_not_count() -> None:
    same = [(f"s{number}", passing(Assign={"v": "{% $states.input %}"})) for number in range(60)]
    inner = [(f"i{number}", passing(Assign={f"w{number}": "{% $v %}"}, Output=1)) for number in range(30)]
    later = [(f"l{number}", passing(Assign={f"x{number}": "{% $v %}"})) for number in range(30)]
    parallel = ("p", {"Type": "Parallel", "Branches": [block(*inner)], "Output": "done"})
    assert run(machine(*same, parallel, *later), FITS).error is None


def test_variables_of_a_failed_branch_do_not_count() -> None:
    fails = [(f"i{number}", passing(Assign={f"w{number}": "{% $states.input %}"})) for number in range(30)]
    branch = block(*fails, ("bad", {"Type": "Fail", "Error": "Bad"}))
    retry = [{"ErrorEquals": ["Bad"], "MaxAttempts": 3}]
    assert (
        run(machine(("p", {"Type": "Parallel", "Branches": [branch], "Retry": retry})), FITS).error == "Bad"
    )


def test_a_result_that_is_not_json_is_a_marshalling_error() -> None:
    async def nothing(event: Any) -> Any:
        return {1, 2}

    assert run(machine(("t", call("nothing"))), nothing=nothing).error == "Runtime.MarshalError"


def test_numbers_become_those_of_jsonata_in_expressions() -> None:
    async def numbers(event: Any) -> Any:
        return {"one": 1.0, "half": 0.5, "big": 2**53 + 1}

    output = {name: "{% $states.result.Payload." + name + " %}" for name in ("one", "half", "big")}
    got = result_of(machine(("t", call("numbers", Output=output))), numbers=numbers)
    assert repr(got) == repr({"one": 1, "half": 0.5, "big": 2**53})


def test_causes_and_error_names_are_cut_to_what_aws_holds() -> None:
    fail = {"Type": "Fail", "Error": "{% $pad('E', 300, 'E') %}", "Cause": "{% $pad('c', 40000, 'c') %}"}
    execution = Lab({"main": machine(("f", fail))}).run()
    assert (len(execution.error or ""), len(execution.cause or "")) == (256, 32_768)

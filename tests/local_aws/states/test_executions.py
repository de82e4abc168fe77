from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.local_aws.states.failing import ApiError
from tests.local_aws.states.world import Local, definition, execution_arn, invoke, machine_arn

PASS = definition({"Type": "Pass", "Output": "{% $states.input.n + 1 %}"})
WAIT = definition({"Type": "Wait", "Seconds": 60})


def wait_for_ever() -> str:
    return definition({"Type": "Wait", "Seconds": 10_000_000})


def test_an_execution_runs_and_is_described(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", PASS)

    async def main() -> dict[str, Any]:
        started = await local.ask("StartExecution", stateMachineArn=arn, name="one", input='{"n": 1}')
        return await local.ended(started["executionArn"])

    answer = local.run(main())

    assert answer["executionArn"] == execution_arn("main", "one")
    assert (answer["status"], answer["output"], answer["input"]) == ("SUCCEEDED", "2", '{"n": 1}')
    assert answer["redriveStatus"] == "NOT_REDRIVABLE"
    assert local.told.changes == [("one", "started", "RUNNING"), ("one", "ended", "SUCCEEDED")]


def test_the_context_has_the_arns_of_the_account_and_the_role(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy(
        "main",
        definition(
            {
                "Type": "Pass",
                "Output": "{% [$states.context.Execution.Id, $states.context.StateMachine.Id,"
                " $states.context.Execution.RoleArn] %}",
            }
        ),
    )

    async def main() -> dict[str, Any]:
        return await local.ended(local.states.start(arn, name="one").arn)

    assert json.loads(local.run(main())["output"]) == [
        execution_arn("main", "one"),
        machine_arn("main"),
        "arn:aws:iam::000000000000:role/main",
    ]


def test_a_name_starts_one_execution_while_that_runs(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", WAIT)

    async def main() -> None:
        first = local.states.start(arn, '{"a": 1}', "one")
        for _ in range(100):
            assert local.states.start(arn, '{"a": 1}', "one") is first
        with pytest.raises(ApiError) as other_input:
            local.states.start(arn, '{"a": 2}', "one")
        await local.states.wait(first.arn)
        with pytest.raises(ApiError) as after_its_end:
            local.states.start(arn, '{"a": 1}', "one")
        assert {other_input.value.code, after_its_end.value.code} == {"ExecutionAlreadyExists"}

    local.run(main())

    assert local.told.changes == [("one", "started", "RUNNING"), ("one", "ended", "SUCCEEDED")]


def test_a_machine_that_is_deployed_anew_knows_nothing_of_the_one_before(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", PASS, creationDate="2026-01-01")

    async def main() -> list[str]:
        await local.states.wait(local.states.start(arn, '{"n": 1}', "one").arn)
        await local.states.wait(local.states.start(arn, '{"n": 1}', "two").arn)
        local.registry.deploy("main", PASS, creationDate="2026-01-02")
        again = await local.ended(local.states.start(arn, '{"n": 5}', "one").arn)
        assert again["output"] == "6"
        return [
            item["name"] for item in (await local.ask("ListExecutions", stateMachineArn=arn))["executions"]
        ]

    assert local.run(main()) == ["one"]


def test_machines_have_names_of_their_own(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arns = [local.registry.deploy(name, PASS) for name in ("a", "b")]

    async def main() -> list[str]:
        entries = [local.states.start(arn, '{"n": 1}', "same") for arn in arns]
        return [(await local.states.wait(entry.arn)).status for entry in entries]

    assert local.run(main()) == ["SUCCEEDED", "SUCCEEDED"]


@pytest.mark.parametrize(
    "request_, code",
    [
        ({"name": "a b"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
        ({"name": "../up"}, "InvalidName"),
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"input": "NaN"}, "InvalidExecutionInput"),
        ({"input": json.dumps("x" * 262_144)}, "InvalidExecutionInput"),
        ({"stateMachineArn": machine_arn("other")}, "StateMachineDoesNotExist"),
    ],
)
def test_what_cannot_be_started_is_refused(tmp_path: Path, request_: dict[str, Any], code: str) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", PASS)

    with pytest.raises(ApiError) as refused:
        local.run(local.ask("StartExecution", **{"stateMachineArn": arn, **request_}))

    assert refused.value.code == code
    assert local.states.entries == {}


def test_a_running_execution_keeps_the_definition_that_it_started_with(tmp_path: Path) -> None:
    local = Local(tmp_path)
    slow = definition({"Type": "Wait", "Seconds": 60}, {"Type": "Pass", "Output": "old"})
    arn = local.registry.deploy("main", slow)

    async def main() -> list[str | None]:
        first = local.states.start(arn, name="first")
        local.registry.deploy("main", definition({"Type": "Pass", "Output": "new"}))
        second = local.states.start(arn, name="second")
        described = await local.ask("DescribeStateMachineForExecution", executionArn=first.arn)
        assert described["definition"] == slow
        return [(await local.states.wait(entry.arn)).output for entry in (first, second)]

    assert local.run(main()) == ['"old"', '"new"']


def test_an_alias_routes_by_weight_and_the_execution_tells_its_version(tmp_path: Path) -> None:
    local = Local(tmp_path)
    for output in ("one", "two"):
        local.registry.deploy("main", definition({"Type": "Pass", "Output": output}))
        local.registry.publish("main")
    alias = local.registry.alias("main", "live", v1=75, v2=25)

    async def main() -> list[dict[str, Any]]:
        entries = [local.states.start(alias, name=f"x{number}") for number in range(100)]
        return [await local.ended(entry.arn) for entry in entries]

    answers = local.run(main())

    by_version = {
        version: [
            answer["output"] for answer in answers if answer["stateMachineVersionArn"].endswith(version)
        ]
        for version in (":1", ":2")
    }
    assert set(by_version[":1"]) == {'"one"'}
    assert set(by_version[":2"]) == {'"two"'}
    assert 60 <= len(by_version[":1"]) <= 90
    assert {answer["stateMachineAliasArn"] for answer in answers} == {alias}


def test_a_stopped_execution_is_aborted_with_what_it_started(tmp_path: Path) -> None:
    local = Local(tmp_path)
    inner = local.registry.deploy("inner", wait_for_ever())
    start = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}
    outer = local.registry.deploy(
        "outer", definition({**start, "Arguments": {"StateMachineArn": inner, "Name": "child", "Input": {}}})
    )

    async def main() -> list[dict[str, Any]]:
        arn = local.states.start(outer, name="one").arn
        child = execution_arn("inner", "child")
        while child not in local.states.entries:
            await asyncio.sleep(0)
        await local.ask("StopExecution", executionArn=arn, error="Why", cause="because")
        again = await local.ask("StopExecution", executionArn=arn)
        assert again["stopDate"] == local.states.find(arn).stopped_at
        return [await local.ended(each) for each in (arn, child)]

    parent, child = local.run(main())

    assert (parent["status"], parent["error"], parent["cause"]) == ("ABORTED", "Why", "because")
    assert child["status"] == "ABORTED"


def test_a_failed_execution_is_redriven_where_it_failed(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", definition(invoke("first"), invoke("second")))
    local.functions.known["first"] = lambda event: 1

    async def main() -> dict[str, Any]:
        failed = await local.ended(local.states.start(arn, name="one").arn)
        assert (failed["status"], failed["redriveStatus"]) == ("FAILED", "REDRIVABLE")
        assert failed["error"] == "Lambda.ResourceNotFoundException"
        local.functions.known["second"] = lambda event: event + 1
        await local.ask("RedriveExecution", executionArn=failed["executionArn"])
        return await local.ended(failed["executionArn"])

    answer = local.run(main())

    assert (answer["status"], answer["output"], answer["redriveCount"]) == ("SUCCEEDED", "2", 1)
    assert [name for name, _, _ in local.functions.called] == ["first", "second", "second"]


def test_what_succeeded_is_not_redrivable(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", PASS)

    async def main() -> str:
        ended = await local.ended(local.states.start(arn, '{"n": 1}').arn)
        with pytest.raises(ApiError) as refused:
            await local.ask("RedriveExecution", executionArn=ended["executionArn"])
        return refused.value.code

    assert local.run(main()) == "ExecutionNotRedrivable"


def test_a_thousand_executions_run_at_once(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", WAIT)

    async def main() -> set[str]:
        entries = [local.states.start(arn, name=f"x{number}") for number in range(1000)]
        assert len({entry.status for entry in entries}) == 1
        return {(await local.states.wait(entry.arn)).status for entry in entries}

    assert local.run(main()) == {"SUCCEEDED"}


def test_executions_are_listed_the_latest_first_in_pages(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", PASS)
    local.registry.deploy("other", WAIT)
    version = local.registry.publish("main")

    async def main() -> None:
        for number in range(5):
            await local.states.wait(local.states.start(arn, '{"n": 1}', f"x{number}").arn)
        await local.states.wait(local.states.start(version, "{}", "failing").arn)
        local.states.start(machine_arn("other"), name="elsewhere")
        first = await local.ask("ListExecutions", stateMachineArn=arn, maxResults=4)
        await local.states.wait(local.states.start(machine_arn("main"), '{"n": 1}', "new").arn)
        rest = await local.ask(
            "ListExecutions", stateMachineArn=arn, maxResults=4, nextToken=first["nextToken"]
        )
        names = [item["name"] for page in (first, rest) for item in page["executions"]]
        assert names == ["failing", "x4", "x3", "x2", "x1", "x0"]
        assert "nextToken" not in rest
        failed = await local.ask("ListExecutions", stateMachineArn=arn, statusFilter="FAILED")
        of_version = await local.ask("ListExecutions", stateMachineArn=version)
        assert [[item["name"] for item in page["executions"]] for page in (failed, of_version)] == [
            ["failing"],
            ["failing"],
        ]
        with pytest.raises(ApiError, match="Invalid Token"):
            await local.ask("ListExecutions", stateMachineArn=arn, nextToken="nonsense")

    local.run(main())

"""A server that ends, in order or not, and another that takes over its folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from stepweave.local_aws.states.shelf import Shelf
from tests.local_aws.states.world import Local, Registry, definition, execution_arn, invoke

START = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}


def two_servers(
    folder: Path,
    registry: Registry,
    before: Callable[[Local], Coroutine[Any, Any, Any]],
    after: Callable[[Local], Coroutine[Any, Any, Any]],
    *,
    functions: dict[str, Any] | None = None,
) -> tuple[Local, Local, Any]:
    """Run ``before``, leave the server, and run ``after`` in a new one, which has not even the deployed machines."""
    first = Local(folder, registry=registry)
    first.functions.known |= functions or {}

    async def leave() -> None:
        await before(first)
        await first.states.leave()

    first.run(leave())
    second = Local(folder)
    second.functions.known |= functions or {}

    async def take_over() -> Any:
        second.states.load()
        second.states.resume()
        return await after(second)

    return first, second, second.run(take_over())


def test_an_ended_execution_is_known_with_its_history(tmp_path: Path) -> None:
    registry = Registry()
    arn = registry.deploy("main", definition({"Type": "Pass", "Output": 5}))

    async def before(local: Local) -> None:
        await local.states.wait(local.states.start(arn, name="one").arn)

    async def after(local: Local) -> tuple[dict[str, Any], list[str]]:
        one = execution_arn("main", "one")
        history = await local.ask("GetExecutionHistory", executionArn=one)
        return await local.ended(one), [event["type"] for event in history["events"]]

    _, second, (answer, kinds) = two_servers(tmp_path, registry, before, after)

    assert (answer["status"], answer["output"]) == ("SUCCEEDED", "5")
    assert kinds == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    assert second.told.changes == []


def test_a_running_execution_goes_on_and_calls_nothing_twice(tmp_path: Path) -> None:
    registry = Registry()
    slow = {"Type": "Wait", "Seconds": 300}
    arn = registry.deploy("main", definition(invoke("first"), slow, invoke("second")))
    functions = {"first": lambda event: 1, "second": lambda event: event + 1}

    async def before(local: Local) -> None:
        local.states.start(arn, name="one")
        while not local.functions.called:
            await asyncio.sleep(0.01)
        await asyncio.sleep(60)

    async def after(local: Local) -> dict[str, Any]:
        return await local.ended(execution_arn("main", "one"))

    first, second, answer = two_servers(tmp_path, registry, before, after, functions=functions)

    assert (answer["status"], answer["output"]) == ("SUCCEEDED", "2")
    assert [[name for name, _, _ in local.functions.called] for local in (first, second)] == [
        ["first"],
        ["second"],
    ]
    assert second.told.changes == [("one", "ended", "SUCCEEDED")]


def test_a_parent_finds_the_execution_that_it_started_before(tmp_path: Path) -> None:
    registry = Registry()
    child = registry.deploy("child", definition({"Type": "Wait", "Seconds": 300}, invoke("work")))
    parent = registry.deploy(
        "parent", definition({**START, "Arguments": {"StateMachineArn": child, "Input": {"a": 1}}})
    )
    functions = {"work": lambda event: "done"}

    async def before(local: Local) -> None:
        local.states.start(parent, name="one")
        while len(local.states.entries) < 2:
            await asyncio.sleep(0.01)

    async def after(local: Local) -> dict[str, Any]:
        return await local.ended(execution_arn("parent", "one"))

    _, second, answer = two_servers(tmp_path, registry, before, after, functions=functions)

    assert answer["status"] == "SUCCEEDED"
    assert len(second.states.entries) == 2
    assert len(second.functions.called) == 1


def test_a_token_from_before_still_ends_its_task(tmp_path: Path) -> None:
    registry = Registry()
    state = invoke("ask", "{% $states.context.Task.Token %}", Output="{% $states.result %}")
    state["Resource"] += ".waitForTaskToken"
    arn = registry.deploy("main", definition(state))
    functions = {"ask": lambda event: None}
    tokens: list[str] = []

    async def before(local: Local) -> None:
        local.states.start(arn, name="one")
        while not local.functions.called:
            await asyncio.sleep(0.01)
        await asyncio.sleep(10)
        tokens.append(local.functions.called[0][1])

    async def after(local: Local) -> dict[str, Any]:
        await asyncio.sleep(10)
        await local.ask("SendTaskSuccess", taskToken=tokens[0], output="7")
        return await local.ended(execution_arn("main", "one"))

    _, second, answer = two_servers(tmp_path, registry, before, after, functions=functions)

    assert (answer["status"], answer["output"]) == ("SUCCEEDED", "7")
    assert second.functions.called == []


def test_a_failed_execution_is_redriven_by_another_server(tmp_path: Path) -> None:
    registry = Registry()
    arn = registry.deploy("main", definition(invoke("work")))

    async def before(local: Local) -> None:
        assert (await local.ended(local.states.start(arn, name="one").arn))["status"] == "FAILED"

    async def after(local: Local) -> dict[str, Any]:
        local.functions.known["work"] = lambda event: "done"
        await local.ask("RedriveExecution", executionArn=execution_arn("main", "one"))
        return await local.ended(execution_arn("main", "one"))

    _, _, answer = two_servers(tmp_path, registry, before, after)

    assert (answer["status"], answer["redriveCount"]) == ("SUCCEEDED", 1)


def test_an_execution_whose_journal_is_damaged_fails_with_the_reason(tmp_path: Path) -> None:
    registry = Registry()
    arn = registry.deploy("main", definition({"Type": "Wait", "Seconds": 3000}))

    async def before(local: Local) -> None:
        local.states.start(arn, name="one")
        await asyncio.sleep(10)

    async def after(local: Local) -> dict[str, Any]:
        return await local.ended(execution_arn("main", "one"))

    def spoil() -> None:
        (journal,) = tmp_path.glob("*/*.journal")
        lines = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join([lines[0], b"nonsense\n", *lines[1:]]))

    async def before_and_spoil(local: Local) -> None:
        await before(local)
        spoil()

    _, second, answer = two_servers(tmp_path, registry, before_and_spoil, after)

    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")
    assert "damaged" in answer["cause"]
    assert second.told.changes == [("one", "ended", "FAILED")]


def test_an_execution_that_had_not_begun_begins(tmp_path: Path) -> None:
    registry = Registry()
    arn = registry.deploy("main", definition({"Type": "Wait", "Seconds": 60}, {"Type": "Pass", "Output": 1}))

    async def before(local: Local) -> None:
        local.states.start(arn, name="one")

    async def after(local: Local) -> dict[str, Any]:
        return await local.ended(execution_arn("main", "one"))

    def cut_off() -> None:
        for journal in tmp_path.glob("*/*.journal"):
            journal.unlink()

    async def before_and_cut_off(local: Local) -> None:
        await before(local)
        cut_off()

    _, _, answer = two_servers(tmp_path, registry, before_and_cut_off, after)

    assert (answer["status"], answer["output"]) == ("SUCCEEDED", "1")


def test_an_end_that_only_the_journal_knows_is_told_once(tmp_path: Path) -> None:
    registry = Registry()
    arn = registry.deploy("main", definition({"Type": "Pass", "Output": 5}))

    async def before(local: Local) -> None:
        entry = await local.states.wait(local.states.start(arn, name="one").arn)
        # The server died after the last record and before the head was written.
        entry.status, entry.stopped_at, entry.output = "RUNNING", None, None
        Shelf(tmp_path).write(entry)

    async def after(local: Local) -> dict[str, Any]:
        return await local.ended(execution_arn("main", "one"))

    _, second, answer = two_servers(tmp_path, registry, before, after)

    assert (answer["status"], answer["output"]) == ("SUCCEEDED", "5")
    assert second.told.changes == [("one", "ended", "SUCCEEDED")]


def test_after_ninety_days_an_execution_is_forgotten(tmp_path: Path) -> None:
    registry = Registry()
    arn = registry.deploy("main", definition({"Type": "Pass"}))

    async def before(local: Local) -> None:
        await local.states.wait(local.states.start(arn, name="old").arn)
        local.clock.set(now=local.clock.now() + 91 * 86_400)
        await local.states.wait(local.states.start(arn, name="new").arn)

    async def after(local: Local) -> list[str]:
        local.clock.set(now=local.clock.now() + 92 * 86_400)
        local.states.entries.clear()
        local.states.load()
        return [entry.name for entry in local.states.entries.values()]

    _, _, names = two_servers(tmp_path, registry, before, after)

    assert names == ["new"]
    assert len(list(tmp_path.glob("m-main/*"))) == 2

"""Crash and resume: whatever part of the journal is left, the execution ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.journal import Journal
from stepweave.engine.parsing import parse
from stepweave.engine.tokens import TaskTokenError
from stepweave.errors import UsageError
from tests.engine.building import machine
from tests.engine.crashing import OUTPUT, World, ended_calls, last_time, run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of the journal of an execution that nothing interrupted."""
    path = tmp_path_factory.mktemp("whole") / "run.journal"
    execution = run(path, World())
    assert (execution.status, execution.output) == ("SUCCEEDED", OUTPUT)
    return path.read_bytes().splitlines(keepends=True)


def tokens_known(world: World, lines: list[bytes]) -> None:
    """Let the world know the tokens that were handed out before the crash."""
    text = b"".join(lines).decode()
    if "TaskSubmitted" in text:
        for line in lines[1:]:
            entry = json.loads(line)
            if (
                isinstance(entry, list)
                and entry[1] == "TaskScheduled"
                and entry[4].endswith("waitForTaskToken")
            ):
                world.tokens[entry[6][2]] = "answered"


def test_every_beginning_of_a_journal_leads_to_the_same_end(whole: list[bytes], tmp_path: Path) -> None:
    uninterrupted = World()
    run(tmp_path / "uninterrupted", uninterrupted)
    total = sum(uninterrupted.calls.values())
    for count in range(1, len(whole) + 1):
        kept = whole[:count]
        path = tmp_path / f"{count}.journal"
        path.write_bytes(b"".join(kept))
        world = World()
        tokens_known(world, kept)
        execution = run(path, world, last_time(kept, 1_767_225_600.0))
        assert (execution.status, execution.output) == ("SUCCEEDED", OUTPUT), count
        # What had ended is not called again: the rest is at most what the whole needs, less that.
        ended = sum(ended_calls(kept).values())
        assert sum(world.calls.values()) <= total - ended + _not_functions(kept), count


def _not_functions(lines: list[bytes]) -> int:
    """Ended tasks that call no function of the world: the nested execution's."""
    return sum(b"startExecution" in line and b"Task" in line for line in lines)


def test_a_line_that_was_cut_off_is_dropped(whole: list[bytes], tmp_path: Path) -> None:
    for cut in (1, 7, 20):
        path = tmp_path / f"{cut}.journal"
        path.write_bytes(b"".join(whole[:9]) + whole[9][:cut])
        execution = run(path, World(), last_time(whole[:9], 0))
        assert (execution.status, execution.output) == ("SUCCEEDED", OUTPUT)


def test_a_resumed_execution_has_the_history_of_one_that_was_never_left(
    whole: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "half.journal"
    path.write_bytes(b"".join(whole[: len(whole) // 2]))
    world = World()
    tokens_known(world, whole[: len(whole) // 2])
    execution = run(path, world, last_time(whole[: len(whole) // 2], 0))
    events = list(execution.history.events())
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    kinds = execution.history.kinds()
    assert kinds.count("ExecutionStarted") == kinds.count("ExecutionSucceeded") == 1
    uninterrupted = run(tmp_path / "whole.journal", World())
    assert sorted(kinds) == sorted(uninterrupted.history.kinds())


def test_an_ended_execution_stays_as_it_is(whole: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "ended.journal"
    path.write_bytes(b"".join(whole))
    world = World()
    execution = run(path, world)
    assert (execution.status, execution.output, world.calls) == ("SUCCEEDED", OUTPUT, {})
    assert path.read_bytes() == b"".join(whole)


def test_a_journal_is_open_only_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "j"), pytest.raises(UsageError, match="running in another process"):
        Journal(tmp_path / "j")


def test_a_journal_of_other_definitions_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "j", "one").close()
    with pytest.raises(UsageError, match="other definitions"):
        Journal(tmp_path / "j", "two")


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("something else\n")
    with pytest.raises(UsageError, match="no journal"):
        Journal(tmp_path / "j")
    assert (tmp_path / "j").read_text() == "something else\n"


WAITS = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Arguments": {"QueueUrl": "q", "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
    "TimeoutSeconds": 600,
}


class Queue(Integration):
    """Takes messages; ``token`` is the latest."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def run(self, call: Call) -> Any:
        self.messages.append(call.arguments["MessageBody"]["token"])
        return {"MessageId": "m"}


def waiting_engine(journal: Journal, queue: Queue) -> Engine:
    machines = {"main": parse(machine(("w", WAITS), ("then", {"Type": "Wait", "Seconds": 5})), "main")}
    return Engine(machines, {"sqs:sendMessage": queue}, clock=VirtualClock(), journal=journal)


@pytest.mark.parametrize("fails", [False, True])
def test_a_token_that_was_sent_back_is_not_waited_for_again(fails: bool, tmp_path: Path) -> None:
    queue, path = Queue(), tmp_path / "j"
    with Journal(path) as journal:
        engine = waiting_engine(journal, queue)

        async def answered() -> bytes:
            engine.start("main", None, "r")
            await asyncio.sleep(1)
            if fails:
                engine.tokens.send_failure(queue.messages[0], "Refused", "no")
            else:
                engine.tokens.send_success(queue.messages[0], {"answer": 42})
            return path.read_bytes()  # as it is when the sender goes on, before the task does

        kept = engine.clock.run(answered())
    path.write_bytes(kept)
    with Journal(path) as journal:
        engine = waiting_engine(journal, queue)

        async def resumed() -> Execution:
            return await engine.wait(engine.resume("r").name)

        execution = engine.clock.run(resumed())
    ended = (execution.status, execution.output, execution.error)
    assert ended == (("FAILED", None, "Refused") if fails else ("SUCCEEDED", {"answer": 42}, None))
    assert len(queue.messages) == 1


def test_the_token_of_a_task_that_ended_before_is_known_as_such(tmp_path: Path) -> None:
    queue, path = Queue(), tmp_path / "j"
    with Journal(path) as journal:
        engine = waiting_engine(journal, queue)

        async def main() -> Execution:
            engine.start("main", None, "r")
            await asyncio.sleep(1)
            engine.tokens.send_success(queue.messages[0], 1)
            return await engine.wait("r")

        assert engine.clock.run(main()).status == "SUCCEEDED"
    with Journal(path) as journal:
        engine = waiting_engine(journal, queue)
        with pytest.raises(TaskTokenError, match="has ended"):
            engine.tokens.send_success(queue.messages[0], 2)

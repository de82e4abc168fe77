"""What tasks logged and printed, out of log groups that hold that of many runs."""

from __future__ import annotations

import json

from stepweave.deployed.log_groups import LogGroups
from stepweave.deployed.task_logs import Attempt, TaskLogs
from tests.deployed.deployed_world import World

TASKS, JOBS = "/stepweave/dev/sales/tasks", "/stepweave/dev/sales/jobs"
BEGIN = 1_000_000


def line(
    message: str, run: str = "r1", task: str = "load", index: str = "", attempt: int = 0, **more: object
) -> str:
    keys = {"level": "INFO", "message": message, "run": run, "task": task, "index": index, "attempt": attempt}
    return json.dumps(keys | more)


def invocation(number: int, *lines: str, at: int) -> list[tuple[str, int, str]]:
    """What an invocation writes to the stream of its sandbox."""
    texts = [
        f"START RequestId: {number} Version: 7",
        *lines,
        f"END RequestId: {number}",
        f"REPORT RequestId: {number}",
    ]
    return [("sandbox", at + place, text) for place, text in enumerate(texts)]


def logs_of(world: World, **wanted: object) -> TaskLogs:
    return TaskLogs(LogGroups(world, [TASKS, JOBS]), "r1", **wanted)  # type: ignore[arg-type]


def test_what_a_task_prints_belongs_to_the_attempt_that_logs_around_it(world: World) -> None:
    world.logs.groups[TASKS] = [
        *invocation(1, "of another run", line("hello", run="r2"), at=BEGIN),
        *invocation(2, "loading", line("rows", rows=3), "done", at=BEGIN + 10),
        *invocation(3, "also of another", line("bye", run="r2"), at=BEGIN + 20),
    ]
    found = logs_of(world).lines(BEGIN)
    assert [each.text for each in found] == ["loading", "INFO rows", "done"]
    assert {each.attempt for each in found} == {Attempt("load", "", 0)}


def test_the_lines_of_a_job_are_those_of_its_stream(world: World) -> None:
    world.logs.groups[TASKS] = []
    world.logs.groups[JOBS] = [
        ("job/default/1", BEGIN, "downloading"),
        ("job/default/1", BEGIN + 1, line("epoch 1", task="train", attempt=1)),
        ("job/default/2", BEGIN + 2, "of another job"),
    ]
    found = logs_of(world).lines(BEGIN)
    assert [(each.attempt, each.text) for each in found] == [
        (Attempt("train", "", 1), "downloading"),
        (Attempt("train", "", 1), "INFO epoch 1"),
    ]


def test_only_the_lines_of_a_task_an_item_or_an_attempt_are_found(world: World) -> None:
    world.logs.groups[TASKS] = [
        *invocation(1, line("first"), at=BEGIN),
        *invocation(2, line("again", attempt=1), at=BEGIN + 10),
        *invocation(3, line("item", task="score", index="3"), at=BEGIN + 20),
        *invocation(4, line("other item", task="score", index="4"), at=BEGIN + 30),
    ]

    def texts(**wanted: object) -> list[str]:
        return [each.text for each in logs_of(world, **wanted).lines(BEGIN)]

    assert texts(task="load") == ["INFO first", "INFO again"]
    assert texts(task="load", attempt=1) == ["INFO again"]
    assert texts(task="score", index="3") == ["INFO item"]
    assert texts() == ["INFO first", "INFO again", "INFO item", "INFO other item"]


def test_an_exception_is_printed_below_its_line_and_the_end_with_its_numbers(world: World) -> None:
    ended = line("task ended", status="failed", error="DataError", TaskSeconds=1.5)
    world.logs.groups[TASKS] = invocation(1, line("broken", exception="Traceback …"), ended, at=BEGIN)
    assert [each.text for each in logs_of(world).lines(BEGIN)] == [
        "INFO broken\nTraceback …",
        "INFO task ended status=failed error=DataError TaskSeconds=1.5",
    ]


def test_a_log_group_that_is_not_there_is_noted_and_asked_for_once(world: World) -> None:
    world.logs.groups[TASKS] = []
    logs = logs_of(world)
    assert logs.lines(BEGIN) == []
    assert logs.lines(BEGIN) == []
    assert logs.groups.missing == {JOBS}
    assert [asked["logGroupName"] for asked in world.logs.asked].count(JOBS) == 1


def test_a_later_look_tells_only_of_later_lines_but_knows_whose_they_are(world: World) -> None:
    first = invocation(1, line("one"), "printed", at=BEGIN)
    world.logs.groups[TASKS] = first
    logs = logs_of(world)
    assert len(logs.lines(BEGIN)) == 2
    world.logs.groups[TASKS] = [
        *first[:-2],
        ("sandbox", BEGIN + 100, line("two")),
        ("sandbox", BEGIN + 101, "more"),
    ]
    assert [each.text for each in logs.lines(BEGIN + 50)] == ["INFO two", "more"]

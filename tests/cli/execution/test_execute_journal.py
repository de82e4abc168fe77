"""`stepweave execute --journal`: executions that are gone on with after a crash, a failure, Ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from stepweave.cli.execution import running
from stepweave.cli.main import execute
from stepweave.engine.journal import Journal
from tests.cli.execution.orders import Capture, error_of, json_of, text_of, write_json, write_machine
from tests.engine.building import call, passing

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "from stepweave.cli.main import main; main()", "execute"]
JOURNAL = ["--journal", "kept"]

COUNTING = """
import os, pathlib, time

def count(event, context):
    with open("calls", "a") as file:
        file.write(event["name"] + "\\n")
    return event["name"]

def slow(event, context):
    count(event, context)
    pathlib.Path("pid").write_text(str(os.getpid()))
    if pathlib.Path("hold").exists():
        pathlib.Path("holding").touch()
        time.sleep(60)
    return event["name"]
"""


def steps() -> str:
    """The file of a machine that counts, then does something slow, then counts."""
    Path("app.py").write_text(COUNTING)
    return write_machine(
        ("first", call("count", {"name": "first"})),
        ("second", call("slow", {"name": "second"})),
        ("third", call("count", {"name": "third"}, Output="{% $states.result.Payload %}")),
    )


FUNCTIONS = ["--function", "count=app:count", "--function", "slow=app:slow"]


def start(argv: Sequence[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *argv], text=True, env=environment, **pipes)  # type: ignore[call-overload, no-any-return]


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process is None or process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, or is a zombie that nobody has asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def failing(mocks: Any, *options: str) -> list[str]:
    """The arguments that execute a machine whose second state is mocked so."""
    file = write_machine(("a", passing(Output=1)), ("pay", call("pay", Output="{% $states.result %}")))
    return [file, "--mock", write_json("mocks.json", mocks), "--virtual-time", *JOURNAL, *options]


DOWN = {"pay": {"Throw": {"Error": "Down", "Cause": "try later"}}}
PAID = {"pay": {"Return": "paid"}}


def test_an_execution_killed_at_any_moment_goes_on_and_repeats_nothing_that_ended(capfd: Capture) -> None:
    Path("hold").touch()
    argv = [steps(), *FUNCTIONS, *JOURNAL]
    with start(argv) as process:
        wait_until(Path("holding").exists, process)
        process.kill()
    wait_until(lambda: is_gone(int(Path("pid").read_text())))
    Path("hold").unlink()
    found = json_of(capfd, [*argv, "--resume", "main-1"])
    assert (found["status"], found["output"]) == ("SUCCEEDED", "third")
    assert Path("calls").read_text().split() == ["first", "second", "second", "third"]
    assert found["states"] == ["first", "second", "third"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_aborts_the_execution_kills_what_runs_and_says_how_to_go_on(
    capfd: Capture, number: signal.Signals
) -> None:
    Path("hold").touch()
    argv = [steps(), *FUNCTIONS, *JOURNAL]
    with start(argv) as process:
        wait_until(Path("holding").exists, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert is_gone(int(Path("pid").read_text()))
    assert "✗ main-1: ABORTED" in out
    assert "at second" in out
    assert "press Ctrl-C again" in err
    Path("hold").unlink()
    redrive = shlex.split(out.splitlines()[-1].partition(": ")[2])
    assert redrive[:2] == ["stepweave", "execute"]
    found = json_of(capfd, redrive[2:])
    assert (found["status"], found["redrives"]) == ("SUCCEEDED", 1)
    assert Path("calls").read_text().split() == ["first", "second", "second", "third"]


def test_ctrl_c_kills_jobs_and_with_json_the_answer_is_the_aborted_execution(capfd: Capture) -> None:
    code = "import os,pathlib,time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
    arguments = {"JobName": "j", "JobDefinition": "train", "JobQueue": "q"}
    task = {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync", "Arguments": arguments}
    with start(
        [write_machine(("train", task)), "--job", f'train={sys.executable} -c "{code}"', "--json"]
    ) as process:
        wait_until(lambda: Path("pid").exists() and bool(Path("pid").read_text()), process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert is_gone(int(Path("pid").read_text()))
    assert json.loads(out)["status"] == "ABORTED"


def test_a_failed_execution_says_how_to_redrive_it_and_then_goes_on_where_it_failed(capfd: Capture) -> None:
    out = text_of(capfd, failing(DOWN), status=1)
    command = next(line for line in out.splitlines() if line.startswith("Go on where it ended: "))
    argv = shlex.split(command.partition(": ")[2])
    write_json("mocks.json", PAID)
    assert execute(argv[1:]) == 0
    told = capfd.readouterr().out
    assert "going on with main-1 in pay\n" in told
    assert "✓ a" not in told
    assert '"paid"' in told
    found = json_of(capfd, failing(PAID, "--resume", "main-1"))
    assert (found["redrives"], found["states"]) == (1, ["a", "pay"])


def test_an_ended_execution_that_is_resumed_only_shows_its_end(capfd: Capture) -> None:
    first = json_of(capfd, failing(DOWN), status=1)
    again = json_of(capfd, failing(PAID, "--resume", "main-1"), status=1)
    assert again["error"] == "Down"
    assert {**again, "wall_seconds": 0} == {**first, "wall_seconds": 0}


def test_names_are_numbered_by_the_journal(capfd: Capture) -> None:
    names = [json_of(capfd, failing(PAID))["name"] for _ in range(3)]
    assert names == ["main-1", "main-2", "main-3"]
    assert sorted(path.name for path in Path("kept").iterdir()) == [f"{name}.journal" for name in names]


def test_a_name_that_is_taken_is_refused_with_the_two_commands_to_type(capfd: Capture) -> None:
    json_of(capfd, failing(PAID, "--name", "nightly"))
    error = error_of(capfd, failing(PAID, "--name", "nightly"))
    assert "has an execution 'nightly' already" in error
    commands = [line.strip() for line in error.splitlines() if "stepweave execute" in line]
    assert [command.partition("--journal")[2].strip() for command in commands] == [
        "kept --resume nightly --virtual-time    if it was cut off",
        "kept --redrive nightly --virtual-time    if it failed",
    ]


def test_a_journal_that_began_before_its_execution_did_is_used(capfd: Capture) -> None:
    json_of(capfd, failing(PAID))
    path = Path("kept/main-1.journal")
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    assert json_of(capfd, failing(PAID, "--name", "main-1"))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("option", ["--resume", "--redrive"])
def test_an_execution_that_is_not_there_is_told_with_those_that_are(capfd: Capture, option: str) -> None:
    assert "no execution 'x'; it has none" in error_of(capfd, failing(PAID, option, "x"))
    json_of(capfd, failing(PAID, "--name", "nightly"))
    assert "did you mean 'nightly'?" in error_of(capfd, failing(PAID, option, "nighly"))
    assert "no execution 'x'; it has: nightly" in error_of(capfd, failing(PAID, option, "x"))


def test_what_succeeded_is_not_redriven(capfd: Capture) -> None:
    json_of(capfd, failing(PAID))
    error = error_of(capfd, failing(PAID, "--redrive", "main-1"))
    assert "'main-1' is not redrivable: Execution is SUCCEEDED" in error


def test_what_was_cut_off_is_resumed_not_redriven(capfd: Capture) -> None:
    json_of(capfd, failing(PAID))
    path = Path("kept/main-1.journal")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    error = error_of(capfd, failing(PAID, "--redrive", "main-1"))
    assert "'main-1' has not ended; it was cut off" in error
    assert "--resume main-1" in error
    assert json_of(capfd, failing(PAID, "--resume", "main-1"))["output"] == "paid"


def test_virtual_time_goes_on_where_it_was(capfd: Capture) -> None:
    file = write_machine(
        ("wait", {"Type": "Wait", "Seconds": 3600}), ("pay", call("pay")), ("late", {"Type": "Succeed"})
    )
    argv = [file, "--mock", write_json("mocks.json", DOWN), "--virtual-time", *JOURNAL]
    failed = json_of(capfd, argv, status=1)
    write_json("mocks.json", PAID)
    redriven = json_of(capfd, [*argv, "--redrive", "main-1", "--history"])
    assert redriven["started_at"] == failed["started_at"]
    times = [event["timestamp"] for event in redriven["history"]]
    assert times == sorted(times)
    assert redriven["stopped_at"] >= failed["stopped_at"]


def test_an_execution_goes_on_with_the_definitions_it_began_with(capfd: Capture) -> None:
    argv = failing(DOWN)
    json_of(capfd, argv, status=1)
    definition = json.loads(Path(argv[0]).read_text())
    write_json(argv[0], dict(reversed(definition.items())))  # the same, written in another order
    write_json("mocks.json", PAID)
    assert json_of(capfd, [*argv, "--redrive", "main-1"])["output"] == "paid"
    write_json(argv[0], {**definition, "Comment": "another"})
    error = error_of(capfd, [*argv, "--resume", "main-1"])
    assert "is of other definitions than those given" in error


def test_an_execution_that_runs_elsewhere_is_in_use(capfd: Capture) -> None:
    argv = failing(DOWN)
    json_of(capfd, argv, status=1)
    given = running.read_machines(running.Order(file=argv[0]))
    with Journal("kept/main-1.journal", given.identity):
        error = error_of(capfd, [*argv, "--redrive", "main-1"])
    assert "is in use: its execution is running in another process" in error


def test_a_journal_folder_that_cannot_be_made_is_told(capfd: Capture) -> None:
    Path("kept").write_text("a file")
    error = error_of(capfd, failing(PAID))
    assert "kept" in error


def test_a_parent_and_its_children_go_on_together(capfd: Capture) -> None:
    child = write_machine(("pay", call("pay", Output="{% $states.result %}")), name="child")
    nested = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": "child", "Name": "child-1"},
        "Output": "{% $states.result.Output %}",
    }
    file = write_machine(("nest", nested))
    mocks = write_json("mocks.json", {"pay": {"Return": "paid", "Delay": 5}})
    argv = [file, "--machine", f"child={child}", "--mock", mocks, "--virtual-time", *JOURNAL]
    json_of(capfd, argv)
    path = Path("kept/main-1.journal")
    lines = path.read_text().splitlines(keepends=True)
    scheduled = next(
        index for index, line in enumerate(lines) if '"TaskScheduled"' in line and '"pay"' in line
    )
    path.write_text("".join(lines[: scheduled + 1]))
    found = json_of(capfd, [*argv, "--resume", "main-1"])
    assert (found["status"], found["output"]) == ("SUCCEEDED", "paid")
    assert [each["execution"] for each in found["calls"]] == ["main-1", "child-1"]


@pytest.mark.parametrize("line", ["garbage", "[99, 1]", "7", "[]"])
def test_a_damaged_journal_is_told_with_the_line(capfd: Capture, line: str) -> None:
    json_of(capfd, failing(PAID))
    path = Path("kept/main-1.journal")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], line, *lines[4:], ""]))
    error = error_of(capfd, failing(PAID, "--resume", "main-1"))
    assert "line 4 of the journal kept/main-1.journal is damaged" in error


def test_when_nobody_reads_the_lines_any_more_the_execution_goes_on() -> None:
    waits = [(f"w{number}", {"Type": "Wait", "Seconds": 0}) for number in range(5)]
    argv = [write_machine(*waits), *JOURNAL]
    with start(argv) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=60) == 141
    assert '"ExecutionSucceeded"' in Path("kept/main-1.journal").read_text()


@pytest.mark.parametrize("option", ["--resume", "--redrive"])
def test_mocks_go_on_with_the_call_that_comes_next(capfd: Capture, option: str) -> None:
    down, paid = DOWN["pay"], PAID["pay"]
    argv = failing({"pay": [down, paid, {"Return": "too late"}]})
    json_of(capfd, argv, status=1)
    if option == "--resume":
        path = Path("kept/main-1.journal")
        lines = path.read_text().splitlines(keepends=True)
        failed = next(index for index, line in enumerate(lines) if '"TaskFailed"' in line)
        path.write_text("".join(lines[: failed + 1]))
        found = json_of(capfd, [*argv, option, "main-1"], status=1)  # its one call had failed already
        assert found["error"] == "Down"
        option = "--redrive"
    assert json_of(capfd, [*argv, option, "main-1"])["output"] == "paid"

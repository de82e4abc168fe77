"""One attempt of a job: its process, its log, and what ends it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from stepweave.local_aws.layer.batch import supervisor
from stepweave.local_aws.layer.batch.attempts import Attempt, Ended, Work

Lines = list[str]


def attempt(folder: Path, lines: Lines, *command: str, timeout: float = 0, memory: int = 0) -> Attempt:
    work = Work(
        command=command, environment={"PATH": os.environ["PATH"]}, timeout_seconds=timeout, memory_mib=memory
    )

    def write(some: Sequence[str]) -> None:
        lines.extend(some)

    return Attempt(work, folder, write)


def python(source: str) -> tuple[str, ...]:
    return (sys.executable, "-u", "-c", source)


def wait_for(lines: Lines, text: str) -> None:
    end = time.monotonic() + 20
    while text not in lines:
        assert time.monotonic() < end, f"{text!r} never came: {lines}"
        time.sleep(0.01)


def in_background(one: Attempt) -> tuple[threading.Thread, list[Ended]]:
    ended: list[Ended] = []
    thread = threading.Thread(target=lambda: ended.append(one.run()))
    thread.start()
    return thread, ended


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_and_every_line_are_known(tmp_path: Path, code: int) -> None:
    lines: Lines = []
    source = (
        f"import sys; print('out'); print('err', file=sys.stderr); print('end', end=''); sys.exit({code})"
    )
    assert attempt(tmp_path, lines, *python(source)).run() == Ended(exit_code=code, why="exited")
    assert sorted(lines) == ["end", "err", "out"]


def test_it_runs_in_a_folder_of_its_own_that_is_gone_afterwards(tmp_path: Path) -> None:
    lines: Lines = []
    source = "import os; open('scratch', 'w'); print(os.getcwd()); print(os.environ['HOME'])"
    attempt(tmp_path, lines, *python(source)).run()
    assert lines[0] == lines[1]
    assert Path(lines[0]).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_does_not_exist_says_so(tmp_path: Path) -> None:
    lines: Lines = []
    assert attempt(tmp_path, lines, "no-such-command").run() == Ended(exit_code=None, why="unstarted")
    assert lines == ["CannotStartContainerError: no-such-command: No such file or directory"]


def test_lines_are_written_while_it_runs_and_sigterm_reaches_it(tmp_path: Path) -> None:
    lines: Lines = []
    source = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saving'), sys.exit(143)))\n"
        "print('ready'); time.sleep(60)"
    )
    one = attempt(tmp_path, lines, *python(source))
    thread, ended = in_background(one)
    wait_for(lines, "ready")
    one.terminate()
    thread.join(20)
    assert ended == [Ended(exit_code=143, why="terminated")]
    assert lines[-1] == "saving"


def test_one_that_is_terminated_before_it_begins_ends_at_once(tmp_path: Path) -> None:
    one = attempt(tmp_path, [], *python("import time; time.sleep(60)"))
    one.terminate()
    assert one.run() == Ended(exit_code=143, why="terminated")


def test_after_its_time_it_is_ended(tmp_path: Path) -> None:
    ended = attempt(tmp_path, [], *python("import time; time.sleep(60)"), timeout=0.3).run()
    assert ended == Ended(exit_code=143, why="timeout")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_more_memory_than_it_has_ends_it(tmp_path: Path) -> None:
    source = "import time; held = b'x' * (200 << 20); time.sleep(60)"
    assert attempt(tmp_path, [], *python(source), memory=100).run() == Ended(exit_code=137, why="memory")


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    lines: Lines = []
    source = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid); time.sleep(60)"
    one = attempt(tmp_path, lines, *python(source))
    thread, ended = in_background(one)
    end = time.monotonic() + 20
    while not lines and time.monotonic() < end:
        time.sleep(0.01)
    one.kill()
    thread.join(20)
    assert ended[0].why == "terminated"
    assert not alive(int(lines[0]))


def test_the_job_dies_when_the_server_is_killed(tmp_path: Path) -> None:
    """The control pipe closes with the server, whatever ended that."""
    control, own = os.pipe()
    status, theirs = os.pipe()
    command = [str(control), str(theirs), "0", "0", "sleep", "60"]
    process = subprocess.Popen(
        [sys.executable, supervisor.__file__, *command], pass_fds=(control, theirs), start_new_session=True
    )
    os.close(control)
    os.close(theirs)
    os.close(own)
    assert process.wait(20) == 0
    with os.fdopen(status) as said:
        assert '"why": "terminated"' in said.read()

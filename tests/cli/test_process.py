"""The command as a process of its own: signals, what it imports, what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from stepweave.cli.main import main; main()"]
ROOT = Path(__file__).parents[2]

SLOW = """
import time
from pathlib import Path
from stepweave import dag, task

@task
def slow() -> int:
    Path("started").touch()
    time.sleep(60)
    return 1

@dag
def sleeper():
    slow()
"""

NOTHING = """
from stepweave import dag, task
print("a module that prints")

@task
def nothing() -> None: ...

@dag
def noop():
    nothing()
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def start(*argv: str) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *argv], text=True, env=environment(), **pipes)  # type: ignore[call-overload, no-any-return]


def wait_for(path: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not Path(path).exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_run_json_prints_one_object_although_the_module_prints(tmp_path: Path) -> None:
    (tmp_path / "noop.py").write_text(NOTHING)
    with start("run", "noop.py", "--json") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["tasks"]["nothing"]["value"] is None
    assert "a module that prints" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_kills_the_worker_and_says_how_to_resume(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "sleeper.py").write_text(SLOW)
    with start("run", "sleeper.py", "--run-id", "r1") as process:
        wait_for("started", process)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "r1: cancelled" in out
    assert "stepweave resume r1" in out
    assert "press Ctrl-C again" in err


def test_cancel_stops_the_run_of_another_process(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(SLOW)
    with start("run", "sleeper.py", "--run-id", "r1", "--json") as process:
        wait_for("started", process)
        with start("cancel", "latest", "--json") as other:
            answer = json.loads(other.communicate(timeout=30)[0])
        out, _ = process.communicate(timeout=30)
    assert answer == {"run_id": "r1", "dag_id": "sleeper", "status": "cancelled"}
    assert json.loads(out)["status"] == "cancelled"


def test_a_run_whose_process_was_killed_shows_as_failed_and_resumes(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(SLOW)
    with start("run", "sleeper.py", "--run-id", "r1") as process:
        wait_for("started", process)
        process.kill()
    with start("show", "r1", "--json") as shown:
        found = json.loads(shown.communicate(timeout=30)[0])
    assert found["status"] == "failed"
    assert "stepweave resume r1" in found["error"]
    (tmp_path / "sleeper.py").write_text(SLOW.replace("time.sleep(60)", "pass"))
    with start("resume", "r1", "--json") as resumed:
        assert json.loads(resumed.communicate(timeout=30)[0])["status"] == "success"


def test_a_run_in_a_pipe_imports_neither_rich_nor_pydantic(tmp_path: Path) -> None:
    (tmp_path / "noop.py").write_text(NOTHING)
    heavy = {"rich", "typer", "pydantic", "boto3", "obstore", "numpy"}
    code = (
        "import sys\nfrom stepweave.cli.main import execute\nexecute(['run', 'noop.py', '--inline'])\n"
        f"print({{name.partition('.')[0] for name in sys.modules}} & {heavy!r})"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "set()"

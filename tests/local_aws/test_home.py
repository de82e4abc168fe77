"""The folder of a local AWS, and who holds it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stepweave.local_aws.home import FOLDER, Home, Running, default, locked

RUNNING = Running(pid=os.getpid(), port=4566, clock_speed=1.0)

HOLDER = """
import sys
from pathlib import Path
from stepweave.local_aws.home import locked
with locked(Path(sys.argv[1])) as alone:
    print(alone, flush=True)
    sys.stdin.read()
"""


def test_a_server_is_running_while_it_holds_the_folder(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with locked(home.lock) as alone:
        assert alone
        home.write(RUNNING)
        assert home.running() == RUNNING
    assert home.running() is None


def test_a_server_that_has_not_said_that_it_started_is_not_running(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with locked(home.lock):
        assert home.held()
        assert home.running() is None


@pytest.mark.parametrize("record", ["", "{", "{}", '{"pid": 1}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, record: str) -> None:
    home = Home(tmp_path)
    home.record.write_text(record, encoding="utf-8")
    with locked(home.lock):
        assert home.running() is None


def test_a_lock_is_free_again_when_its_process_was_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with locked(lock) as alone:
            assert not alone
        holder.kill()
    with locked(lock) as alone:
        assert alone


def test_whoever_waits_for_a_lock_gets_it_when_it_is_free(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path / "lock", wait=True) as alone:
            order.append(f"second {alone}")

    with locked(tmp_path / "lock"):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join(20)
    assert order == ["first", "second True"]


def test_a_folder_that_does_not_exist_is_held_by_nobody_and_stays_away(tmp_path: Path) -> None:
    home = Home(tmp_path / "absent")
    assert home.running() is None
    assert not home.folder.exists()


def test_the_default_folder_can_be_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default() == Home(FOLDER)
    monkeypatch.setenv("STEPWEAVE_LOCAL_AWS", str(tmp_path))
    assert default() == Home(tmp_path)

"""``stepweave approve`` and the question on the terminal."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stepweave.cli.main import execute
from stepweave.cli.progress.asking import Asker, nothing
from stepweave.embedded.taskruns import APPROVAL, TaskRun
from stepweave.stores.layout import approval_key, decision_key, task_prefix
from stepweave.stores.objects import open_store

RELEASE = """
from stepweave import approval, dag, task

@task
def deploy() -> str:
    return "deployed"

@dag
def release():
    approval("Deploy it?", task_id="sign_off") >> deploy()
"""


def waiting_run(write_beside: Callable[[str], str]) -> subprocess.Popen[str]:
    """A run in another process, which waits for an approval."""
    command = [sys.executable, "-m", "stepweave", "run", write_beside(RELEASE), "--run-id", "r1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    store = open_store(".stepweave")
    while store.get_or_none(approval_key(task_prefix("release", "r1", "sign_off"))) is None:
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.1)  # until the records are on disk
    return process


def test_a_run_of_another_process_goes_on_when_approved(
    write_beside: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    process = waiting_run(write_beside)
    assert execute(["approve", "r1", "--by", "ada", "--comment", "fine", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert (said["task"], said["approved"], said["by"], said["comment"], said["told"]) == (
        "sign_off",
        True,
        "ada",
        "fine",
        True,
    )
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "waiting for approval: stepweave approve r1 sign_off" in output
    assert execute(["approve", "r1", "sign_off", "--reject"]) == 2
    assert "approved already, by ada" in capfd.readouterr().err


def test_a_decision_about_a_dead_run_is_found_when_it_is_resumed(
    write_beside: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    process = waiting_run(write_beside)
    process.kill()
    process.communicate()
    assert execute(["approve", "r1", "sign_off"]) == 0
    assert "stepweave resume r1" in capfd.readouterr().out
    assert execute(["resume", "r1", "--json", "--workers", "1"]) == 0
    assert json.loads(capfd.readouterr().out)["tasks"]["deploy"]["value"] == "deployed"


def test_a_task_that_nobody_asks_about_is_an_error(diamond: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", diamond, "--run-id", "r1", "--inline"]) == 0
    assert execute(["approve", "r1"]) == 2
    assert "nothing in run r1 waits for an approval" in capfd.readouterr().err
    assert execute(["approve", "r1", "load[3"]) == 2
    assert "expected TASK or TASK[INDEX]" in capfd.readouterr().err


def typing(lines: list[str], approvers: tuple[str, ...] = ()) -> dict[str, object]:
    """The decision that a person makes who types ``lines`` when asked about item 3."""
    prefix = task_prefix("release", "r1", "sign_off", "3")
    store = open_store(".stepweave")
    question = {
        "run": {"dag": "release", "id": "r1", "index": "3"},
        "task": "sign_off",
        "message": "Deploy it?",
        "digest": "d",
        "approvers": list(approvers),
        "level": 0,
        "requested_at": "2026-01-01T00:00:00+00:00",
        "execution": "e",
    }
    store.put(approval_key(prefix), json.dumps(question).encode())
    typed = iter(lines)
    with Asker("release", "r1", ".stepweave", nothing, lambda over: next(typed, None)) as asker:
        asker(TaskRun("sign_off", "waiting", message=APPROVAL, index="3"))
        while store.get_or_none(decision_key(prefix)) is None:
            time.sleep(0.01)
    decision: dict[str, object] = json.loads(store.get(decision_key(prefix)))
    return decision


def test_a_person_at_the_terminal_is_asked(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    decision = typing(["y\n", "looks good\n"])
    assert (decision["approved"], decision["comment"]) == (True, "looks good")
    out = capfd.readouterr().out
    assert "sign_off[3]: Deploy it?" in out
    assert "approve? [y/n]" in out


def test_a_person_at_the_terminal_may_reject(project: Path) -> None:
    decision = typing(["n\n", "\n"])
    assert decision["approved"] is False


@pytest.mark.parametrize("name, decided_by", [("\n", "ml-leads"), ("head-of-data\n", "head-of-data")])
def test_a_person_who_is_not_among_the_approvers_says_as_whom_they_decide(
    project: Path, capfd: pytest.CaptureFixture[str], name: str, decided_by: str
) -> None:
    decision = typing(["y\n", name, "\n"], approvers=("ml-leads", "head-of-data"))
    assert (decision["approved"], decision["by"]) == (True, decided_by)
    assert "as whom? [ml-leads]" in capfd.readouterr().out

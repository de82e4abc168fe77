"""Runs that are stopped: by Ctrl-C, by ``cancel``, by ``kill -9`` at any moment; and what is left of them."""

from __future__ import annotations

import os
import random
import signal
import subprocess

import pytest

from stepweave.stores.records import DATABASE, Records
from tests.e2e.command import Project, is_running, statuses, values, wait_until

STOPPED = """
    def stay(name: str) -> str:
        Path(f"{name}.pid").write_text(str(os.getpid()))
        os.rename(f"{name}.pid", f"{name}.running")
        if not Path("go").exists():
            time.sleep(120)
        return name

    @task
    def quick() -> str:
        note("quick")
        return "quick"

    @task
    def light(before: str) -> str:
        return stay("light")

    @task(compute=Batch())
    def heavy(before: str) -> str:
        return stay("heavy")

    @task
    def after(first: str, second: str) -> str:
        return first + second

    @dag
    def stopped():
        begun = quick()
        after(light(begun), heavy(begun))
"""

TASKS = 8
RANDOM = f"""
    import uuid

    @task
    def begin() -> str:
        return work("begin")

    @task
    def light(name: str, before: str) -> str:
        return before + work(name)

    @task(compute=Batch())
    def heavy(before: str) -> str:
        return before + work("heavy")

    @task
    def end(parts: list[str]) -> list[str]:
        return parts

    def work(name: str) -> str:
        note(name)
        time.sleep(0.2)
        return f"{{name}}:{{uuid.uuid4().hex}} "  # of another attempt, it would be another value

    @dag
    def long():
        last, side = begin(), []
        for number in range({TASKS}):
            last = light.override(task_id=f"light_{{number}}")(f"light_{{number}}", last)
            side.append(last)
        end([*side, heavy(side[0])])
"""


def running_pids(project: Project, process: subprocess.Popen[str]) -> list[int]:
    """The processes of ``light`` and ``heavy``, both in the middle of their work."""
    files = [project.folder / f"{name}.running" for name in ("light", "heavy")]
    wait_until(lambda: all(file.exists() for file in files), process)
    return [int(file.read_text()) for file in files]


def check_that_it_resumes(project: Project) -> None:
    (project.folder / "go").touch()
    answer = project.json("resume", "r1")
    assert answer["status"] == "success"
    assert values(answer)["after"] == "lightheavy"
    assert project.count("quick") == 1


def test_ctrl_c_ends_workers_and_jobs_and_the_hint_resumes(project: Project) -> None:
    project.write("flow.py", STOPPED)
    with project.start("run", "flow.py", "--run-id", "r1") as process:
        pids = running_pids(project, process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the command
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "r1: cancelled" in out
    assert "Traceback" not in out + err
    wait_until(lambda: not any(map(is_running, pids)))
    assert "stepweave resume r1" in out
    check_that_it_resumes(project)


def test_cancel_from_another_terminal_ends_workers_and_jobs(project: Project) -> None:
    project.write("flow.py", STOPPED)
    with project.start("run", "flow.py", "--run-id", "r1", "--json") as process:
        pids = running_pids(project, process)
        answer = project.json("cancel", "r1")
        out, _ = process.communicate(timeout=60)
    assert answer == {"run_id": "r1", "dag_id": "stopped", "status": "cancelled"}
    assert process.returncode == 1
    assert '"run_id": "r1", "dag_id": "stopped", "status": "cancelled"' in out
    wait_until(lambda: not any(map(is_running, pids)))
    shown = project.json("show", "r1")
    assert shown["status"] == "cancelled"
    assert statuses(shown) == {"quick": "success", "light": "failed", "heavy": "failed", "after": None}
    check_that_it_resumes(project)


def test_a_killed_run_leaves_no_processes_and_resumes(project: Project) -> None:
    project.write("flow.py", STOPPED)
    with project.start("run", "flow.py", "--run-id", "r1") as process:
        pids = running_pids(project, process)
        process.kill()
        process.communicate(timeout=60)
    wait_until(lambda: not any(map(is_running, pids)))
    assert project.json("show", "r1")["status"] == "failed"
    check_that_it_resumes(project)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("whole_group", [True, False], ids=["all-processes", "only-the-command"])
def test_killed_at_random_moments_every_task_is_committed_once(
    project: Project, seed: int, whole_group: bool
) -> None:
    """Three kills a run, eight runs: 24 moments."""
    project.write("flow.py", RANDOM)
    moments = random.Random(seed)
    committed: dict[str, bytes] = {}
    executed: dict[str, int] = {}
    command = ["run", "flow.py", "--run-id", "r1"]
    for _ in range(3):
        killed_after(project, command, moments.uniform(0.0, 0.8), whole_group)
        command = ["resume", "r1"]
        now = project.commits("long", "r1")
        assert {task: now[task] for task in committed} == committed
        assert {task: project.count(task) for task in committed} == executed
        committed = now
        executed = {task: project.count(task) for task in committed}
    answer = project.json(*command)
    assert answer["status"] == "success"
    last = project.commits("long", "r1")
    assert {task: last[task] for task in committed} == committed
    assert {task: project.count(task) for task in committed} == executed
    assert set(last) == set(answer["tasks"])
    check_values(values(answer))


def killed_after(project: Project, command: list[str], seconds: float, whole_group: bool) -> None:
    """Start ``command``, and kill it ``seconds`` after the run is on record."""
    records = Records(project.folder / ".stepweave" / DATABASE)
    with project.start(*command) as process:
        wait_until(lambda: (row := records.run("r1")) is not None and row.pid == process.pid, process)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            if whole_group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def check_values(found: dict[str, object]) -> None:
    """Each task's value goes on from the very value that the task before it committed."""
    before = str(found["begin"])
    for number in range(TASKS):
        value = str(found[f"light_{number}"])
        assert value.startswith(before)
        before = value
    assert str(found["heavy"]).startswith(str(found["light_0"]))
    assert found["end"] == [*(found[f"light_{number}"] for number in range(TASKS)), found["heavy"]]

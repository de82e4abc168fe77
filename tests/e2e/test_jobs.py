"""Batch tasks here: a process of their own, with the memory and the time that they declare."""

from __future__ import annotations

import pytest

from tests.e2e.command import Project, is_running, statuses, values

JOBS = """
    @task
    def here() -> int:
        return os.getpid()

    @task(compute=Batch(), memory="1GiB")
    def fits() -> int:
        note("fits")
        filled = bytearray(64 << 20)
        print("filled", len(filled))
        return os.getpid()

    @task(compute=Batch(), memory="256MiB")
    def too_large() -> int:
        note("too_large")
        return len(bytearray(1 << 30))

    @task(compute=Batch())
    def not_yet() -> None:
        note("not_yet")
        if not Path("ready").exists():
            raise DataError("not yet")

    @task
    def different(first: int, second: int) -> bool:
        return first != second

    @dag
    def jobs():
        different(here(), fits())
        too_large()
        not_yet()
"""


def test_a_job_is_held_to_its_memory(project: Project) -> None:
    project.write("flow.py", JOBS)
    answer = project.json("run", "flow.py", "--run-id", "r1", status=1)
    assert statuses(answer) == {
        "here": "success",
        "fits": "success",
        "different": "success",
        "too_large": "failed",
        "not_yet": "failed",
    }
    assert values(answer)["different"] is True
    assert answer["tasks"]["too_large"]["error"]["type"] == "ResourceError"
    assert "MemoryError" in answer["tasks"]["too_large"]["error"]["message"]
    assert answer["tasks"]["not_yet"]["error"] == {"type": "DataError", "message": "not yet"}
    assert "filled 67108864" in project.run("logs", "r1", "fits").out


def test_resume_does_not_run_a_committed_job_again(project: Project) -> None:
    project.write("flow.py", JOBS.replace('memory="256MiB"', 'memory="2GiB"'))
    before = values(project.json("run", "flow.py", "--run-id", "r1", status=1))
    (project.folder / "ready").touch()
    after = project.json("resume", "r1")
    assert after["status"] == "success"
    assert values(after)["fits"] == before["fits"]
    assert [project.count(name) for name in ("fits", "too_large", "not_yet")] == [1, 1, 2]


def test_the_plan_says_that_a_task_is_a_job(project: Project) -> None:
    project.write("flow.py", JOBS)
    lines = project.run("plan", "flow.py").out.splitlines()
    assert any(line.split()[:2] == ["fits", "batch"] for line in lines)


@pytest.mark.slow
def test_a_job_is_held_to_its_time(project: Project) -> None:
    """The shortest timeout that Batch accepts is a minute."""
    project.write(
        "flow.py",
        """
        @task(compute=Batch(), timeout="60s")
        def too_slow() -> None:
            Path("pid").write_text(str(os.getpid()))
            time.sleep(600)

        @dag
        def job():
            too_slow()
        """,
    )
    answer = project.json("run", "flow.py", status=1)
    assert answer["tasks"]["too_slow"]["status"] == "failed"
    assert "timeout" in answer["tasks"]["too_slow"]["error"]["message"]
    assert not is_running(int((project.folder / "pid").read_text()))

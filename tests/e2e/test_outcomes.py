"""How runs end: order, failures, retries, and what a resumed run does again."""

from __future__ import annotations

import sys

import pytest

from tests.e2e.command import Project, statuses, values

N_SHAPE = """
    @task
    def a() -> str:
        deadline = time.monotonic() + 60
        while not Path("d.count").exists():  # ends only after d has begun: with a barrier it never does
            assert time.monotonic() < deadline, "d did not start while a was running"
            time.sleep(0.01)
        return str(os.getpid())

    @task
    def b() -> str:
        return str(os.getpid())

    @task
    def c(x: str, y: str) -> str:
        return "c"

    @task
    def d(y: str) -> str:
        note("d")
        return str(os.getpid())

    @dag
    def n_shape():
        y = b()
        c(a(), y)
        d(y)
"""

FAILING = """
    @task
    def load() -> int:
        note("load")
        return 20

    @task(retries=3, retry_delay=1)
    def flaky(x: int) -> int:
        note("flaky")
        if get_current_context().attempt < 2:
            raise ConnectionError("reset by peer")
        return x + 1

    @task
    def broken(x: int) -> int:
        note("broken")
        if Path("fixed").exists():
            return x * 2
        raise DataError("no labels in month 13")

    @task
    def after(x: int) -> int:
        note("after")
        return x

    @dag
    def failing():
        rows = load()
        after.override(task_id="after_flaky")(flaky(rows))
        after.override(task_id="after_broken")(broken(rows))
"""


def test_in_an_n_d_starts_before_a_ends_in_another_process(project: Project) -> None:
    project.write("flow.py", N_SHAPE)
    found = values(project.json("run", "flow.py", "--workers", "2"))
    assert found["c"] == "c"
    assert found["a"] != found["d"]


def test_a_failure_fails_only_what_depends_on_it_and_the_run_names_it(project: Project) -> None:
    project.write("flow.py", FAILING)
    ended = project.run("run", "flow.py", "--run-id", "r1", status=1)
    assert "✗ r1: failed" in ended.out
    assert "broken: DataError: no labels in month 13" in ended.out
    assert "stepweave resume r1" in ended.out
    shown = project.json("show", "r1")
    assert shown["status"] == "failed"
    assert "broken" in shown["error"]
    assert statuses(shown) == {
        "load": "success",
        "flaky": "success",
        "after_flaky": "success",
        "broken": "failed",
        "after_broken": "upstream_failed",
    }


def test_a_task_is_tried_again_until_it_succeeds_and_each_attempt_has_its_log(project: Project) -> None:
    project.write("flow.py", FAILING)
    answer = project.json("run", "flow.py", "--run-id", "r1", status=1)
    assert answer["tasks"]["flaky"]["attempts"] == 3
    assert project.count("flaky") == 3
    logs = project.json("logs", "r1", "flaky")["logs"]
    assert [log["attempt"] for log in logs] == [1, 2]
    assert all("ConnectionError: reset by peer" in log["text"] for log in logs)


def test_resume_after_a_fix_runs_the_failed_task_and_reuses_the_rest(project: Project) -> None:
    project.write("flow.py", FAILING)
    project.run("run", "flow.py", "--run-id", "r1", status=1)
    before = project.commits("failing", "r1")
    (project.folder / "fixed").touch()
    answer = project.json("resume", "r1")
    assert values(answer) == {"load": 20, "flaky": 21, "after_flaky": 21, "broken": 40, "after_broken": 40}
    counts = {name: project.count(name) for name in ("load", "flaky", "broken", "after")}
    assert counts == {"load": 1, "flaky": 3, "broken": 2, "after": 2}
    after = project.commits("failing", "r1")
    assert {task: after[task] for task in before} == before
    assert project.json("show", "r1")["resumes"] == 1


def test_resume_uses_the_code_of_today(project: Project) -> None:
    project.write("flow.py", FAILING)
    project.run("run", "flow.py", "--run-id", "r1", status=1)
    project.write("flow.py", FAILING.replace('raise DataError("no labels in month 13")', "return x * 3"))
    assert values(project.json("resume", "latest"))["after_broken"] == 60
    assert project.count("load") == 1


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "workers"])
def test_async_tasks_are_awaited(project: Project, inline: bool) -> None:
    project.write(
        "flow.py",
        """
        import asyncio

        @task
        async def fetch(name: str) -> str:
            await asyncio.sleep(0.01)
            return name.upper()

        @task
        async def both(parts: list[str]) -> list[str]:
            return list(await asyncio.gather(*(asyncio.sleep(0, part) for part in parts)))

        @dag
        def waiting():
            both([fetch("a"), fetch("b")])

        if __name__ == "__main__":
            print(asyncio.run(fetch("plain")))
        """,
    )
    answer = project.json("run", "flow.py", *(["--inline"] if inline else []))
    assert values(answer)["both"] == ["A", "B"]
    assert project.run("flow.py", program=(sys.executable,)).out == "PLAIN\n"

"""Runs that go on: by themselves, by two at once, and what is told to those who would stop or decide what is over."""

from __future__ import annotations

from tests.e2e.command import Project, statuses, values, wait_until

FAILING = """
    @task
    def number(name: str, needs: str = "") -> str:
        note(name)
        if needs and not Path(needs).exists():
            raise DataError(f"{needs} is missing")
        return name

    @task
    def first_time(name: str) -> str:
        note(name)
        if Path(f"{name}.count").stat().st_size == 1:
            raise DataError("not yet")
        return name

    @task
    def total(parts: list) -> str:
        note("total")
        return " ".join(parts)

    @dag(fail_fast=True)
    def strict():
        first = number("a")
        second = number.override(task_id="b")("b", "mended")
        first >> second
        total([first, second])

    @dag(max_failed_tasks=1)
    def patient():
        previous = None
        for each in "abcd":
            one = number.override(task_id=each, trigger_rule="all_done")(each, "mended" if each in "ab" else "")
            if previous is not None:
                previous >> one
            previous = one

    @dag(retries=1)
    def persistent():
        total([number("a"), first_time("b")])

    @dag(retries=1)
    def hopeless():
        total([number("a"), number.override(task_id="b")("b", "mended")])
"""
WAITING = """
    from stepweave import approval

    @task
    def prepare() -> str:
        note("prepare")
        return "ready"

    @task
    def work(before: str) -> str:
        note("work")
        while not Path("go").exists():
            time.sleep(0.02)
        return before

    @task
    def deploy() -> str:
        note("deploy")
        return "deployed"

    @dag
    def working():
        work(prepare())

    @dag
    def signed():
        prepare() >> approval("Deploy it?", task_id="sign_off", approvers=["ada", "bob"]) >> deploy()
"""


def test_a_fail_fast_run_goes_on_where_it_failed(project: Project) -> None:
    project.write("flow.py", FAILING)
    failed = project.json("run", "flow.py:strict", "--run-id", "r1", status=1)
    assert statuses(failed) == {"number": "success", "b": "failed", "total": "upstream_failed"}
    (project.folder / "mended").touch()
    assert values(project.json("resume", "r1"))["total"] == "a b"
    assert (project.count("a"), project.count("b"), project.count("total")) == (1, 2, 1)


def test_a_run_that_was_stopped_by_too_many_failures_counts_them_afresh_when_it_goes_on(
    project: Project,
) -> None:
    project.write("flow.py", FAILING)
    project.json("run", "flow.py:patient", "--run-id", "r1", status=1)
    assert [project.count(name) for name in "abcd"] == [1, 1, 0, 0]
    project.json("resume", "r1", status=1)
    assert [project.count(name) for name in "abcd"] == [2, 2, 0, 0]
    (project.folder / "mended").touch()
    assert project.json("resume", "r1")["status"] == "success"
    assert [project.count(name) for name in "abcd"] == [3, 3, 1, 1]


def test_a_run_goes_on_by_itself_with_what_failed(project: Project) -> None:
    project.write("flow.py", FAILING)
    assert values(project.json("run", "flow.py:persistent"))["total"] == "a b"
    assert (project.count("a"), project.count("b")) == (1, 2)


def test_a_run_that_went_on_by_itself_in_vain_may_be_resumed(project: Project) -> None:
    project.write("flow.py", FAILING)
    project.json("run", "flow.py:hopeless", "--run-id", "r1", status=1)
    assert (project.count("a"), project.count("b")) == (1, 2)
    (project.folder / "mended").touch()
    assert values(project.json("resume", "r1"))["total"] == "a b"
    assert (project.count("a"), project.count("b")) == (1, 3)


def test_of_two_that_resume_a_run_at_once_one_does(project: Project) -> None:
    project.write("flow.py", WAITING)
    with project.start("run", "flow.py:working", "--run-id", "r1") as process:
        wait_until(lambda: project.count("work") == 1, process)
        process.kill()
        process.communicate()
    several = [project.start("resume", "r1") for _ in range(3)]
    wait_until(lambda: sum(one.poll() is not None for one in several) == 2)
    (project.folder / "go").touch()
    ended = [(one.communicate(timeout=60), one.returncode) for one in several]
    assert sorted(status for _, status in ended) == [0, 2, 2]
    for (_, err), status in ended:
        assert not status or "is going on in process" in err or "another process has just begun run" in err
        assert "Traceback" not in err
    assert (project.count("prepare"), project.count("work")) == (1, 2)


def test_a_run_is_approved_once_and_by_whom_it_asked(project: Project) -> None:
    project.write("flow.py", WAITING)
    with project.start("run", "flow.py:signed", "--run-id", "r1") as process:
        asked = project.folder / ".stepweave/runs/signed/r1/sign_off/approval.json"
        wait_until(asked.exists, process)
        assert (
            "expected one of ada, bob"
            in project.run("approve", "r1", "sign_off", "--by", "eve", status=2).err
        )
        several = [project.start("approve", "r1", "sign_off", "--by", name) for name in ("ada", "bob")]
        said = [(one.communicate(timeout=60), one.returncode) for one in several]
        assert sorted(status for _, status in said) == [0, 2]
        assert any("a decision is made once" in err for (_, err), _ in said)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert project.count("deploy") == 1
    again = project.run("approve", "r1", "sign_off", "--by", "ada", "--reject", status=2).err
    assert "approved already" in again


def test_a_resumed_run_asks_again_after_a_rejection(project: Project) -> None:
    project.write("flow.py", WAITING)
    asked = project.folder / ".stepweave/runs/signed/r1/sign_off/approval.json"
    with project.start("run", "flow.py:signed", "--run-id", "r1") as process:
        wait_until(asked.exists, process)
        project.run("approve", "r1", "sign_off", "--by", "ada", "--reject")
        process.communicate(timeout=60)
    assert (process.returncode, project.count("deploy")) == (1, 0)
    before = asked.read_bytes()
    with project.start("resume", "r1") as process:
        wait_until(lambda: asked.read_bytes() != before, process)
        project.run("approve", "r1", "sign_off", "--by", "bob")
        process.communicate(timeout=60)
    assert (process.returncode, project.count("deploy"), project.count("prepare")) == (0, 1, 1)


def test_a_decision_about_a_run_that_was_killed_is_not_asked_for_again(project: Project) -> None:
    project.write("flow.py", WAITING)
    with project.start("run", "flow.py:signed", "--run-id", "r1") as process:
        asked = project.folder / ".stepweave/runs/signed/r1/sign_off/approval.json"
        wait_until(asked.exists, process)
        process.kill()
        process.communicate()
    project.run("approve", "r1", "sign_off", "--by", "bob")
    answer = project.json("resume", "r1", "--no-input")
    assert values(answer)["sign_off"]["by"] == "bob"
    assert (project.count("prepare"), project.count("deploy")) == (1, 1)


def test_what_is_unknown_or_over_is_said_so(project: Project) -> None:
    project.write("flow.py", WAITING)
    (project.folder / "go").touch()
    project.run("run", "flow.py:working", "--run-id", "r1")
    for command, expected in {
        ("approve", "none"): "no run id begins with 'none'",
        ("approve", "r1"): "nothing in run r1 waits for an approval",
        ("approve", "r1", "nothing"): "expected a task that waits for one",
        ("cancel", "none"): "no run id begins with 'none'",
        ("resume", "r1"): "has succeeded; there is nothing to resume",
        ("run", "flow.py:working", "--run-id", "r1"): "a run 'r1' exists",
    }.items():
        said = project.run(*command, status=2).err
        assert expected in said
        assert "Traceback" not in said
    assert project.run("cancel", "r1").out == "r1: success already\n"

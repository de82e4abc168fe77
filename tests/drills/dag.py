"""The DAG drill: ``stepweave run`` and ``stepweave resume`` are killed at random moments until the run has succeeded.

    python -m tests.drills.dag [--kills 50] [--seed N]

The DAG has gates and a Batch task. Checked after each death: what is committed stays as it is, to the
inode, and no task that is committed runs again; at the end: one envelope per task, and the values.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stepweave.stores.records import DATABASE, Records
from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.e2e.command import Project, values, wait_until

DAG = """
    def work(name):
        note(name)
        time.sleep(0.15)
        return name

    @task
    def a() -> str:
        return work("a")

    @task
    def b() -> str:
        return work("b")

    @task
    def c(before: str) -> str:
        return before + work("c")

    @task(compute=Batch())
    def d(first: str, second: str) -> str:
        return first + second + work("d")

    @task
    def e(before: str) -> str:
        return before + work("e")

    @task
    def f(first: str, second: str) -> str:
        return first + second + work("f")

    @task
    def g(first: str, second: str, third: str) -> str:
        return " ".join([first, second, third, work("g")])

    @dag
    def gated():  # no tree: d needs a and b, c a alone, e b alone
        one, two = a(), b()
        three, four, five = c(one), d(one, two), e(two)
        g(three, four, f(four, five))
"""
VALUES = {"a": "a", "b": "b", "c": "ac", "d": "abd", "e": "be", "f": "abdbef", "g": "ac abd abdbef g"}
LONGEST_SECONDS = 0.8
"""The latest random moment after a run is on record."""
State = tuple[int, int, str]
"""Inode, time of the last change in nanoseconds, digest."""


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` deaths."""
    counts, generator = Counts("dag"), random.Random(seed)
    counts.figures.update(
        kills=0, resumes=0, runs=0, calls=0, repeated_before_commit=0, repeated_after_commit=0, values_equal=0
    )
    while counts.figures["kills"] < kills and not counts.wrong:
        with tempfile.TemporaryDirectory(prefix="stepweave-drill-") as folder:
            project = Project(Path(folder))
            project.write("flow.py", DAG)
            _kill_until_it_succeeds(project, counts, generator, kills)
    return counts


def _kill_until_it_succeeds(project: Project, counts: Counts, generator: random.Random, kills: int) -> None:
    command = ["run", "flow.py", "--run-id", "r1"]
    committed: dict[str, State] = {}
    calls: dict[str, int] = {}
    killed = True
    while killed:
        counts.figures["resumes"] += command[0] == "resume"
        spare = counts.figures["kills"] >= kills
        killed = _killed(project, command, 60 if spare else generator.uniform(0, LONGEST_SECONDS), generator)
        counts.figures["kills"] += killed
        now = _committed(project)
        _compare(committed, now, counts)
        _compare_calls(calls, project, counts)
        committed, calls = now, {task: project.count(task) for task in now}
        command = ["resume", "r1"]
    _check_the_end(project, counts)


def _killed(project: Project, command: list[str], seconds: float, generator: random.Random) -> bool:
    """Whether the command was killed, ``seconds`` after it was on record; with its workers, or alone."""
    records = Records(project.folder / ".stepweave" / DATABASE)
    with project.start(*command) as process:
        wait_until(
            lambda: (
                (row := records.run("r1")) is not None and (row.pid == process.pid or row.status == "success")
            )
        )
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            if generator.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.communicate(timeout=60)
    return process.returncode == -signal.SIGKILL


def _committed(project: Project) -> dict[str, State]:
    """The envelopes there are, by task."""
    found: dict[str, State] = {}
    for file in (project.folder / ".stepweave" / "runs").rglob("result.json"):
        known = file.stat()
        found[file.parent.name] = (
            known.st_ino,
            known.st_mtime_ns,
            hashlib.sha256(file.read_bytes()).hexdigest(),
        )
    return found


def _compare(before: Mapping[str, State], now: Mapping[str, State], counts: Counts) -> None:
    for task, state in before.items():
        counts.check(now.get(task) == state, f"the envelope of {task} was {state} and is {now.get(task)}")


def _compare_calls(before: Mapping[str, int], project: Project, counts: Counts) -> None:
    for task, number in before.items():
        again = project.count(task) - number
        counts.figures["repeated_after_commit"] += again
        counts.check(again == 0, f"{task} was committed, and ran {again} times again")


def _check_the_end(project: Project, counts: Counts) -> None:
    answer: dict[str, Any] = project.json("show", "r1")
    made = sum(project.count(task) for task in VALUES)
    counts.figures["runs"] += 1
    counts.figures["calls"] += made
    counts.figures["repeated_before_commit"] += made - len(VALUES)
    same = answer["status"] == "success" and values(answer) == VALUES
    counts.figures["values_equal"] += same
    counts.check(same, f"the run ended as {answer['status']} with {values(answer)}")
    counts.check(set(_committed(project)) == set(VALUES), f"envelopes: {sorted(_committed(project))}")


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=50)

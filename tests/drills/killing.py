"""`killed`: a command of a run that dies at a moment; and what is left of the run then."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stepweave.stores.records import DATABASE, Records
from tests.drills.counting import Counts
from tests.e2e.command import Project, wait_until

RUN = "r1"
"""The id of every run of a drill."""
STORE = ".stepweave"

State = tuple[int, int, str]
"""Inode, time of the last change in nanoseconds, digest."""


@dataclass(frozen=True, slots=True)
class Left:
    """What there is when no process of the run is: its commits, and how often each task run was called."""

    commits: Mapping[str, State]
    calls: Mapping[str, int]

    def compare(self, now: Left, counts: Counts, *, may_change: Callable[[str], bool]) -> None:
        """Check that what was committed is as it was, and that none of it was called again."""
        for name, state in self.commits.items():
            if may_change(name):
                continue
            again = now.calls.get(name, 0) - self.calls.get(name, 0)
            counts.figures["repeated_after_commit"] += max(again, 0)
            counts.check(again == 0, f"{name} was committed, and was called {again} times again")
            counts.check(now.commits.get(name) == state, f"the envelope of {name} has changed")


def left(project: Project) -> Left:
    """What there is of all runs in the project's store."""
    commits: dict[str, State] = {}
    for file in (project.folder / STORE / "runs").rglob("result.json"):
        name = name_of(file.relative_to(project.folder / STORE / "runs"))
        if name is not None:
            known = file.stat()
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            commits[name] = (known.st_ino, known.st_mtime_ns, digest)
    calls = {file.name: file.stat().st_size for file in (project.folder / "calls").glob("*")}
    return Left(commits, calls)


def name_of(file: Path) -> str | None:
    """``RUN~TASK@3@0`` of an envelope; None of one that is not the result of a task run (an undo, a replica)."""
    _, run, task, *index, _ = file.parts
    return "@".join([f"{run}~{task}", *index]) if all(each.isdigit() for each in index) else None


def killed(
    project: Project,
    command: list[str],
    seconds: float,
    generator: random.Random,
    person: Person | None = None,
) -> int:
    """How the command ended that is killed ``seconds`` after it was on record; with its workers, or alone."""
    records = Records(project.folder / STORE / DATABASE)
    with project.start(*command) as process:
        wait_until(
            lambda: (
                process.poll() is not None
                or ((row := records.run(RUN)) is not None and row.pid == process.pid)
            )
        )
        if person is not None:
            person.watch(process)
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            if generator.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        # The pipes end when no worker holds them any more.
        _, err = process.communicate(timeout=60)
    # Killed after the end was on record, there is nothing to go on with.
    return 0 if process.returncode == 2 and "has succeeded" in err else process.returncode


@dataclass(slots=True)
class Person:
    """Who approves, once, from another process: while the run goes on, or when it is dead."""

    project: Project
    task: str
    generator: random.Random
    asked: str
    """Glob of the request in the store."""
    decided: int = 0
    told: int = 0
    thread: threading.Thread | None = None

    def watch(self, process: subprocess.Popen[str]) -> None:
        """Decide some time after being asked, as long as the process is there."""
        if not self.decided:
            patience = self.generator.uniform(0, 1.5)
            self.thread = threading.Thread(target=self._watch, args=(process, patience), daemon=True)
            self.thread.start()

    def is_asked(self) -> bool:
        """Whether a request is in the store."""
        return any((self.project.folder / STORE).glob(self.asked))

    def decide(self) -> None:
        """Approve."""
        answer = self.project.json("approve", RUN, self.task, "--by", "ada")
        self.decided += 1
        self.told += answer["told"]

    def _watch(self, process: subprocess.Popen[str], patience: float) -> None:
        while process.poll() is None and not self.is_asked():
            time.sleep(0.02)
        time.sleep(patience)
        if process.poll() is None and not self.decided:
            self.decide()

"""The crash drill: an engine is killed at random moments until its execution has ended all the same.

    python -m tests.drills.crash [--kills 200] [--seed N]

Prints its counts as a JSON object and exits with 1 when anything is wrong. An execution with every kind of task and
state runs in a process with a journal and real workers; SIGKILL ends the process after a random time or before, within
or after a random write to the journal; another process goes on, and is killed in turn. Checked after each death: the
journal begins with what it held before, and nothing is called whose end was in it; at the end: the output, and that
no worker and no job is left.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.drills.crash_answers import ANSWERS
from tests.drills.crash_engine import DIE, JOURNAL, ROOT
from tests.drills.crash_functions import CALLS, FOLDER, GENERATION, TOKENS
from tests.drills.crash_machines import OUTPUT
from tests.e2e.command import is_running

LONGEST_SECONDS = 1.5
"""The latest random moment after the start of a process; undisturbed, the execution takes longer."""
GONE_SECONDS = 10.0
"""How long workers and jobs may live on without their engine; far longer than they do."""
PATIENCE_SECONDS = 60.0
"""How long a process may take that is not to be killed; far more than it takes."""


@dataclass(slots=True)
class Scene:
    """One execution, with all that is on disk of it."""

    folder: Path
    generation: int = 0
    """Number of the engine's processes so far."""
    journal: bytes = b""
    """What the journal held, whole lines only, when the last process had died."""
    committed: set[str] = field(default_factory=set)
    """Keys of the calls whose ends were in it."""
    known: dict[int, set[str]] = field(default_factory=dict)
    """What was committed before each process began."""

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """The next process."""
        self.generation += 1
        self.known[self.generation] = set(self.committed)
        return subprocess.Popen(
            [sys.executable, "-m", "tests.drills.crash_engine", str(self.folder)],
            cwd=ROOT,
            env={**os.environ, FOLDER: str(self.folder), GENERATION: str(self.generation), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def look(self, counts: Counts) -> None:
        """Check what the journal holds after a process has ended."""
        path = self.folder / JOURNAL
        data = path.read_bytes() if path.exists() else b""
        counts.check(data.startswith(self.journal), "the journal lost what it had held")
        self.journal = data[: data.rfind(b"\n") + 1]
        self.committed = set(_ended(self.journal))

    def look_for_processes(self, counts: Counts) -> None:
        """Check that workers and jobs of all processes have ended, when they have had the time to."""
        path, deadline = self.folder / CALLS, time.monotonic() + GONE_SECONDS
        lines = path.read_text().splitlines() if path.exists() else ()
        pids = {json.loads(line)[2] for line in lines}
        while (left := sum(map(is_running, pids))) and time.monotonic() < deadline:
            time.sleep(0.05)
        counts.figures["processes_left"] += left
        counts.check(left == 0, f"{left} processes are left")

    def count_calls(self, counts: Counts) -> None:
        """Count the calls of all processes, and those that should not have been made."""
        made: Counter[tuple[int, str]] = Counter()
        path = self.folder / CALLS
        for line in path.read_text().splitlines() if path.exists() else ():
            generation, key, _ = json.loads(line)
            made[int(generation), key] += 1
        counts.figures["calls"] += made.total()
        counts.figures["repeated_before_commit"] += made.total() - len({key for _, key in made})
        for (generation, key), times in made.items():
            after = key in self.known[generation]
            counts.figures["repeated_after_commit"] += after
            counts.check(not after, f"process {generation} called {key}, which had ended")
            counts.check(times == 1, f"process {generation} called {key} {times} times")


def _ended(journal: bytes) -> Iterator[str]:
    """Keys of the calls whose ends the journal holds, and which are therefore not to be made again.

    A redrive tries again what had failed (an engine that Ctrl-C ended is redriven).
    """
    ends = (
        {"TaskSucceeded"}
        if b'"ExecutionAborted"' in journal
        else {"TaskSucceeded", "TaskFailed", "TaskTimedOut"}
    )
    executions: list[str] = []
    events: Counter[int] = Counter()
    open_calls: dict[tuple[int, int], str] = {}
    for line in journal.splitlines()[1:]:
        entry = json.loads(line)
        if isinstance(entry, dict):
            executions.append(entry["name"])
            continue
        number, kind, _, _, _, data, _, branch = entry
        events[number] += not kind.startswith("~")
        if kind == "TaskScheduled" and "Payload" in data:
            open_calls[number, branch] = json.dumps(data["Payload"]["key"], sort_keys=True)
        elif kind == "TaskScheduled":
            open_calls[number, branch] = f"job {executions[number]}-{events[number]}"
        elif kind in ends:
            yield open_calls[number, branch]


@contextlib.contextmanager
def scene() -> Iterator[Scene]:
    """A new execution, and a process that answers its tokens."""
    with tempfile.TemporaryDirectory(prefix="stepweave-drill-") as name:
        folder = Path(name).resolve()
        (folder / TOKENS).mkdir()
        (folder / ANSWERS).mkdir()
        command = [sys.executable, "-m", "tests.drills.crash_answers", str(folder)]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as answering:
            try:
                yield Scene(folder)
            finally:
                assert answering.stdin is not None
                answering.stdin.close()


def drill(kills: int, seed: int) -> Counts:
    """The counts of one drill."""
    counts, generator = Counts("crash"), random.Random(seed)
    counts.figures.update(kills=0, resumes=0, executions=0, calls=0, repeated_before_commit=0)
    counts.figures.update(repeated_after_commit=0, outputs_equal=0, processes_left=0)
    while counts.figures["kills"] < kills and not counts.wrong:
        with scene() as one:
            _kill_until_it_ends(one, counts, generator, kills)
            one.count_calls(counts)
            one.look_for_processes(counts)
    return counts


def _kill_until_it_ends(one: Scene, counts: Counts, generator: random.Random, kills: int) -> None:
    answer: dict[str, Any] | None = None
    while answer is None:
        counts.figures["resumes"] += one.generation > 0
        spare = counts.figures["kills"] >= kills
        answer = ended(one, counts) if spare else _killed(one, counts, generator)
        one.look(counts)
    counts.figures["executions"] += 1
    same = (answer["status"], answer["output"]) == ("SUCCEEDED", OUTPUT)
    counts.figures["outputs_equal"] += same
    counts.check(same, f"the execution ended with {answer}")


def _killed(one: Scene, counts: Counts, generator: random.Random) -> dict[str, Any] | None:
    """None when the process was killed; how the execution ended when that came first."""
    moment = generator.choice(("time", "time", "before", "within", "after"))
    if moment == "time":
        process, patience = one.start(), generator.uniform(0.1, LONGEST_SECONDS)
    else:
        process = one.start(**{DIE: f"{moment} {generator.randint(1, 25)}"})
        patience = PATIENCE_SECONDS
    with process:
        out, err = communicated(process, patience)
    if process.returncode == -signal.SIGKILL:
        counts.figures["kills"] += 1
        counts.figures[f"kills_by_{'time' if moment == 'time' else 'write'}"] += 1
        return None
    return _answer(process, out, err, counts)


def ended(one: Scene, counts: Counts) -> dict[str, Any]:
    """How the execution ended, undisturbed."""
    with one.start() as process:
        out, err = communicated(process)
    return _answer(process, out, err, counts)


def communicated(process: subprocess.Popen[str], patience: float = PATIENCE_SECONDS) -> tuple[str, str]:
    """What a process printed, when it has ended or after ``patience`` seconds has been killed."""
    try:
        return process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def _answer(process: subprocess.Popen[str], out: str, err: str, counts: Counts) -> dict[str, Any]:
    counts.check(process.returncode == 0, f"the engine exited with {process.returncode}: {err}")
    found: dict[str, Any] = json.loads(out) if out else {"status": None, "output": None}
    return found


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=200)

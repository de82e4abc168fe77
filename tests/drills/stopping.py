"""The stop drill: runs are cancelled, interrupted once or twice, timed out, or killed and then cancelled.

    python -m tests.drills.stopping [--kills 20] [--seed N]

Each run is stopped at a random moment. Afterwards nothing it did is left: its tear-down has run, each undo once, the
last first. A second Ctrl-C ends the process at once, as a kill does; ``stepweave cancel`` then cleans up. Resumed, the
run succeeds, and everything is there.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from stepweave.embedded.interrupts import AGAIN_STATUS
from stepweave.stores.records import DATABASE, Records
from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.drills.killing import RUN, STORE, left
from tests.drills.sagas_dag import DAG, DONE, UNDONE
from tests.e2e.command import PATIENCE_SECONDS, Project, wait_until

WAYS = ("cancel", "interrupt", "interrupt twice", "time-out", "kill, then cancel")
LONGEST_SECONDS = 1.6
"""The latest random moment after a run is on record; a run takes about as long."""


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` runs that are stopped."""
    counts, generator = Counts("stopped runs"), random.Random(seed)
    counts.figures.update(stopped=0, ended_before=0, undos=0, undone_twice=0, left_behind=0, resumed=0)
    for number in range(kills):
        if counts.wrong:
            break
        with tempfile.TemporaryDirectory(prefix="stepweave-drill-") as folder:
            _one(Project(Path(folder)), WAYS[number % len(WAYS)], counts, generator)
    return counts


def _one(project: Project, way: str, counts: Counts, generator: random.Random) -> None:
    moment = generator.uniform(0, LONGEST_SECONDS)
    limit = f"@dag(timeout={max(1, round(moment))})" if way == "time-out" else "@dag"
    project.write(
        "flow.py", DAG.replace("@dag", limit).replace('return "good"', "time.sleep(1.0); return 'good'")
    )
    (project.folder / "version").write_text("1")
    status, out = _stopped(project, way, moment, generator)
    if status == AGAIN_STATUS or status == -signal.SIGKILL:
        answer = project.json("cancel", RUN)
        counts.check(
            answer["status"] in ("cancelled", "success"), f"cancelled, the run is {answer['status']}"
        )
    shown = project.json("show", RUN)
    how = f"{way} after {moment:.2f} s"
    if shown["status"] == "success":
        counts.figures["ended_before"] += 1
        counts.check(_world(project) == set(DONE), f"{how}: the world holds {sorted(_world(project))}")
        return
    counts.figures["stopped"] += 1
    expected = "failed" if way == "time-out" else "cancelled"
    counts.check(shown["status"] == expected, f"{how}: the run is {shown['status']}: {shown['error']}")
    counts.check("Traceback" not in out, f"{how}: {out[-800:]}")
    _check_that_nothing_is_left(project, how, counts)
    project.write("flow.py", DAG)
    done = project.run("resume", RUN)
    counts.figures["resumed"] += 1
    counts.check(
        _world(project) == set(DONE), f"{how}: resumed, it left {sorted(_world(project))}: {done.out}"
    )


def _stopped(project: Project, way: str, moment: float, generator: random.Random) -> tuple[int, str]:
    """How the run ended that was stopped, and what it said."""
    records = Records(project.folder / STORE / DATABASE)
    with project.start("run", "flow.py", "--run-id", RUN) as process:
        wait_until(lambda: records.run(RUN) is not None)
        try:
            process.wait(timeout=PATIENCE_SECONDS if way == "time-out" else moment)
        except subprocess.TimeoutExpired:
            _stop(project, process, way, generator)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, out + err


def _stop(project: Project, process: subprocess.Popen[str], way: str, generator: random.Random) -> None:
    match way:
        case "cancel":
            project.json("cancel", RUN)
        case "kill, then cancel":
            os.killpg(process.pid, signal.SIGKILL)
        case _:
            os.killpg(process.pid, signal.SIGINT)
            if way == "interrupt twice":
                time.sleep(generator.uniform(0, 0.6))
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)


def _check_that_nothing_is_left(project: Project, how: str, counts: Counts) -> None:
    log = (project.folder / "log").read_text().splitlines() if (project.folder / "log").exists() else []
    undone = [line.removeprefix("undo ") for line in log if line.startswith("undo ")]
    counts.figures["undos"] += len(undone)
    ranks = [UNDONE.index(name) for name in dict.fromkeys(undone)]
    counts.check(ranks == sorted(ranks), f"{how}: undone in the order {undone}")
    # A second Ctrl-C may have cut off one undo, which `cancel` then finished.
    again = len(undone) - len(set(undone))
    counts.figures["undone_twice"] += again if "twice" not in how else max(0, again - 1)
    counts.check(again <= ("twice" in how), f"{how}: undone {undone}")
    torn_down = log.count(f"{RUN}~drop")
    counts.check(torn_down <= 1 + ("twice" in how), f"{how}: torn down {torn_down} times")
    begun = [name for name in DONE if f"{RUN}~{name.replace('-', '@')}" in log]
    committed = {
        name for name in left(project).commits if name.partition("~")[2][:1] in "abc" and "base" not in name
    }
    counts.check(committed <= {f"{RUN}~check"}, f"{how}: committed and not undone: {committed}")
    # A task that was stopped in the middle had committed nothing, and nothing of it is undone.
    halfway = {name for name in begun if name not in undone}
    behind = _world(project) - halfway
    counts.figures["left_behind"] += len(behind)
    counts.check(
        not behind - {"base"} and ("base" not in behind or not _was_set_up(project)), f"{how}: left {behind}"
    )


def _was_set_up(project: Project) -> bool:
    return f"{RUN}~base" in left(project).commits


def _world(project: Project) -> set[str]:
    folder = project.folder / "world"
    return {file.name for file in folder.iterdir()} if folder.exists() else set()


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=20)

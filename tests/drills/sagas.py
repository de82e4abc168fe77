"""The compensation drill: a run fails, and is killed before, while and after it is undone; then it is mended.

    python -m tests.drills.sagas [--kills 20] [--seed N]

Each run is resumed until it has failed by itself: then nothing it did is left. Then what broke it is mended, and it is
killed and resumed until it has succeeded: then everything is there, by the values of the second time. No undo that
was committed is repeated, nor any task whose result is committed and not undone.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.drills.killing import RUN, STORE, Left, killed, left
from tests.drills.sagas_dag import DAG, DONE, ITEMS, UNDONE
from tests.e2e.command import PATIENCE_SECONDS, Project, values

LONGEST_SECONDS = 2.0
"""The latest random moment after a run is on record."""
AGAIN = (f"{RUN}~base", f"{RUN}~drop")
"""Tasks that a resumed run may run again: a tear-down, and a setup that may have been torn down."""
MOST_KILLS = 3
"""Before it has failed, and again before it has succeeded."""


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` deaths."""
    counts, generator = Counts("compensation"), random.Random(seed)
    counts.figures.update(kills=0, resumes=0, runs=0, calls=0, undos=0)
    counts.figures.update(repeated_after_commit=0, undone_twice=0, values_equal=0)
    while counts.figures["kills"] < kills and not counts.wrong:
        with tempfile.TemporaryDirectory(prefix="stepweave-drill-") as folder:
            project = Project(Path(folder))
            project.write("flow.py", DAG)
            _fail(project, counts, generator)
            _mend(project, counts, generator)
            counts.figures["runs"] += 1
    return counts


def _fail(project: Project, counts: Counts, generator: random.Random) -> None:
    """Until the run has failed by itself."""
    (project.folder / "version").write_text("1")
    (project.folder / "broken").touch()
    status, said = _until_it_ends(project, ["run", "flow.py", "--run-id", RUN], counts, generator)
    counts.check(status == 1, f"the run ended with exit status {status}")
    counts.check(_world(project) == set(), f"after a failure the world holds {sorted(_world(project))}")
    undone = tuple(line.partition(" ")[2] for line in said if line.startswith("undo "))
    # One that the death before cut off is finished first, and its task then done again.
    counts.check(undone[-len(UNDONE) :] == UNDONE, f"undone in the order {undone}")
    answer = project.json("show", RUN)
    counts.check(answer["status"] == "failed", f"the run is {answer['status']}")
    kept = {name.partition("~")[2] for name in left(project).commits}
    counts.check(
        not any(name[0] in "abc" and name != "base" for name in kept - {"check"}), f"committed: {kept}"
    )


def _mend(project: Project, counts: Counts, generator: random.Random) -> None:
    """Until the mended run has succeeded."""
    (project.folder / "version").write_text("2")
    (project.folder / "broken").unlink()
    status, _ = _until_it_ends(project, ["resume", RUN], counts, generator)
    counts.check(status == 0, f"the mended run ended with exit status {status}")
    counts.check(_world(project) == set(DONE), f"after the success the world holds {sorted(_world(project))}")
    found = values(project.json("show", RUN))
    each = [f"each-{number} 2" for number in range(ITEMS)]
    read = {task: found.get(task) for task in ("prepare", "seen", "check")}
    same = read == {"prepare": "1", "seen": ["a 2", "b 2", each, "c 2"], "check": "good"}
    counts.figures["values_equal"] += same
    counts.check(same, f"the mended run has the values {found}")


def _until_it_ends(
    project: Project, command: list[str], counts: Counts, generator: random.Random
) -> tuple[int, list[str]]:
    """How the run ended by itself after some kills, and what the last process did."""
    before = left(project)
    for number in range(MOST_KILLS + 1):
        log = _log(project)
        moment = generator.uniform(0, LONGEST_SECONDS) if number < MOST_KILLS else PATIENCE_SECONDS
        gone = _undone(project)
        status = killed(project, command, moment, generator)
        now, lines = left(project), _log(project)[len(log) :]
        _compare(before, now, gone, lines, counts)
        before, command = now, ["resume", RUN]
        counts.figures["calls"] += sum(not line.startswith("undo ") for line in lines)
        counts.figures["undos"] += sum(line.startswith("undo ") for line in lines)
        if status >= 0:
            break
        counts.figures["kills"] += 1
        counts.figures["resumes"] += 1
    return status, lines


def _compare(before: Left, now: Left, undone: set[str], lines: list[str], counts: Counts) -> None:
    """Check what one process did, given what was committed and undone before it."""
    # An undo takes a result away, and what read it then is stale.
    stale = any(line.startswith("undo ") for line in lines) or undone
    before.compare(
        now,
        counts,
        may_change=lambda name: name in AGAIN or bool(stale and name != f"{RUN}~prepare"),
    )
    for name in undone:
        first = next((line for line in lines if line in (f"undo {name}", _task_run(name))), "")
        counts.figures["undone_twice"] += first.startswith("undo")
        counts.check(not first.startswith("undo"), f"{name} was undone, and undone again")
    done: dict[str, str] = {}
    for line in lines:  # within one process, doing and undoing take turns
        name = line.removeprefix("undo ")
        what = "undo" if line.startswith("undo ") else "do"
        key = _task_run(name) if what == "undo" else name
        twice = done.get(key) == what and key in map(_task_run, DONE)
        counts.figures["undone_twice"] += twice and what == "undo"
        counts.check(not twice, f"{name} was {what}ne twice in one process")
        done[key] = what


def _task_run(name: str) -> str:
    return f"{RUN}~{name.replace('-', '@')}"


def _undone(project: Project) -> set[str]:
    """What is undone, and known to be: its undo is committed, and its result is gone."""
    folder = project.folder / STORE / "runs" / "saga" / RUN
    found = (name for name in DONE if (folder / name.replace("-", "/") / "undo" / "result.json").exists())
    return {name for name in found if not (folder / name.replace("-", "/") / "result.json").exists()}


def _world(project: Project) -> set[str]:
    folder = project.folder / "world"
    return {file.name for file in folder.iterdir()} if folder.exists() else set()


def _log(project: Project) -> list[str]:
    file = project.folder / "log"
    return file.read_text().splitlines() if file.exists() else []


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=20)

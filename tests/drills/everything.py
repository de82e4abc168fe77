"""The control-flow drill: a run with every construct is killed at random moments, and resumed until it has succeeded.

    python -m tests.drills.everything [--kills 20] [--seed N]

Checked after each death: what is committed stays as it is, to the inode, and none of it was called again; a decision
of a person stays. At the end: every value is that of an undisturbed run, no round, item or undo was repeated after its
commit, and what the tasks changed in the world is there once.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.drills.everything_dag import DAG, FAILING, ITEMS
from tests.drills.killing import RUN, STORE, Left, Person, killed, left
from tests.e2e.command import PATIENCE_SECONDS, Project, statuses, values

APPROVAL = "sign_off"
LONGEST_SECONDS = 3.0
"""The latest random moment after a run is on record."""
AGAIN = (f"{RUN}~base", f"{RUN}~drop_base")
"""Tasks that a resumed run may run again: a tear-down, and a setup that may have been torn down."""
MOST_KILLS = 4
"""Of one run."""


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` deaths."""
    counts, generator = Counts("control flow"), random.Random(seed)
    counts.figures.update(kills=0, resumes=0, runs=0, calls=0, repeated_after_commit=0, values_equal=0)
    counts.figures.update(approved_dead=0, approved_live=0)
    expected: dict[str, Any] | None = None
    while counts.figures["kills"] < kills and not counts.wrong:
        with tempfile.TemporaryDirectory(prefix="stepweave-drill-") as folder:
            project = Project(Path(folder))
            project.write("flow.py", DAG)
            if expected is None:
                _run(project, counts, generator, 0)
                expected = _end(project, counts)
                continue
            _run(project, counts, generator, min(MOST_KILLS, kills - counts.figures["kills"]))
            found = _end(project, counts)
            same = found == expected
            counts.figures["values_equal"] += same
            counts.check(same, f"a run that was killed ended with {_difference(found, expected)}")
    return counts


def _run(project: Project, counts: Counts, generator: random.Random, kills: int) -> None:
    """Start the run, kill it ``kills`` times, and let it end."""
    person = Person(project, APPROVAL, generator, f"runs/*/{RUN}/{APPROVAL}/approval.json")
    command, before = ["run", "flow.py:everything", "--run-id", RUN], Left({}, {})
    while True:
        moment = generator.uniform(0, LONGEST_SECONDS) if kills > 0 else PATIENCE_SECONDS
        status = killed(project, command, moment, generator, person)
        if person.thread is not None:
            person.thread.join()
        now = left(project)
        before.compare(now, counts, may_change=lambda name: name in AGAIN)
        before = now
        if status >= 0:
            break
        kills -= 1
        counts.figures["kills"] += 1
        counts.figures["resumes"] += 1
        command = ["resume", RUN]
        if not person.decided and person.is_asked() and generator.random() < 0.4:
            person.decide()
            counts.figures["approved_dead"] += 1
    counts.check(status == 0, f"the run ended with exit status {status}")
    counts.check(person.decided == 1, f"the person decided {person.decided} times")
    counts.figures["approved_live"] += person.told


def _end(project: Project, counts: Counts) -> dict[str, Any]:
    """Statuses and values of the ended run; its calls are counted."""
    answer = project.json("show", RUN)
    now = left(project)
    counts.figures["runs"] += 1
    counts.figures["calls"] += sum(now.calls.values())
    world = {file.name for file in (project.folder / "world").iterdir()}
    counts.check(world == {"model"}, f"the world holds {sorted(world)}")
    items = [f"{RUN}~square@{number}" for number in range(ITEMS)]
    missing = [item for item in items if (item in now.commits) == (int(item.rpartition("@")[2]) in FAILING)]
    counts.check(not missing, f"items that should (not) be committed: {missing}")
    halved = sorted(name for name in now.commits if name.startswith(f"{RUN}~loop.halve"))
    counts.check(len(halved) == 3, f"the rounds committed are {halved}")
    found = {key: value for key, value in values(answer).items() if key != APPROVAL}
    return {
        "status": answer["status"],
        "statuses": statuses(answer),
        "values": found,
        "store": _stored(project),
    }


def _stored(project: Project) -> set[str]:
    return {str(f.relative_to(project.folder / STORE)) for f in (project.folder / STORE).rglob("result.json")}


def _difference(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    different: dict[str, Any] = {}
    for key, value in expected.items():
        if isinstance(value, dict):
            names = [name for name in {**value, **found[key]} if found[key].get(name) != value.get(name)]
            different |= {f"{key} of {name}": (found[key].get(name), value.get(name)) for name in names}
        elif found[key] != value:
            different[key] = sorted(found[key] ^ value) if isinstance(value, set) else (found[key], value)
    return different


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=20)

"""All drills, one after the other: ``python -m tests.drills [--seed N]``.

Prints the counts of each as a line of JSON, and exits with 1 when anything was wrong. Each is a command of its own as
well, for example ``python -m tests.drills.crash --kills 1000``.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser

from tests.drills import callbacks, clocks, crash, dag, disk, everything, interrupts, sagas, stopping, workers
from tests.drills.commands import Drill, timed

DRILLS: tuple[tuple[Drill, int], ...] = (
    (crash.drill, 200),
    (dag.drill, 200),
    (everything.drill, 100),
    (sagas.drill, 100),
    (stopping.drill, 50),
    (workers.drill, 100),
    (disk.drill, 40),
    (interrupts.drill, 40),
    (clocks.drill, 1_000),
    (callbacks.drill, 500),
)
"""Each drill, and how often what it does is done."""


def main() -> int:
    """The exit status."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    seed: int = parser.parse_args().seed
    wrong = False
    for drill, kills in DRILLS:
        counts = timed(drill, kills, seed)
        print(json.dumps(counts.to_json()), flush=True)
        wrong |= bool(counts.wrong)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())

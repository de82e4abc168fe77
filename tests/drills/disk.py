"""The disk drill: the journal's disk is full at a random byte; the engine stops cleanly and goes on when there is room.

    python -m tests.drills.disk [--kills 10] [--seed N]

The disk is a limit of the size of files (RLIMIT_FSIZE), so the kernel refuses the write, or takes a part of it.
"""

from __future__ import annotations

import random
import resource
import sys

from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.drills.crash import Scene, communicated, ended, scene
from tests.drills.crash_engine import JOURNAL, JOURNAL_FAILED
from tests.drills.crash_machines import OUTPUT

FIRST_BYTES = 200
"""The least that fits: the first line."""


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` full disks."""
    counts, generator = Counts("full disk"), random.Random(seed)
    counts.figures.update(full=0, resumes=0, executions=0, outputs_equal=0, repeated_after_commit=0)
    while counts.figures["full"] < kills and not counts.wrong:
        with scene() as one:
            size = FIRST_BYTES
            for _ in range(2):
                size += generator.randrange(12_000)
                _fill(one, size, counts)
            counts.figures["resumes"] += 1
            answer = ended(one, counts)
            one.look(counts)
            same = (answer["status"], answer["output"]) == ("SUCCEEDED", OUTPUT)
            counts.figures["executions"] += 1
            counts.figures["outputs_equal"] += same
            counts.check(same, f"the execution ended with {answer}")
            one.count_calls(counts)
    return counts


def _fill(one: Scene, size: int, counts: Counts) -> None:
    """Let the engine run on a disk that takes ``size`` bytes of its journal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        process = one.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with process:
        _, err = communicated(process)
    one.look(counts)
    if process.returncode == JOURNAL_FAILED:
        counts.figures["full"] += 1
        counts.check("cannot be written" in err, f"the error does not say what is wrong: {err[-500:]}")
        counts.check("Traceback" not in err, f"the engine did not end cleanly: {err[-500:]}")
    else:
        counts.check(process.returncode == 0, f"the engine exited with {process.returncode}: {err}")
    held = (one.folder / JOURNAL).stat().st_size
    counts.check(held <= size, f"the journal has {held} bytes on a disk of {size}")


if __name__ == "__main__":
    assert sys.platform != "win32"
    drill_command(__doc__, drill, kills=10)

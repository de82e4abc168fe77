"""The Ctrl-C drill: an engine gets SIGINT, mostly twice, at random moments; nothing of it is left, and it goes on.

python -m tests.drills.interrupts [--kills 10] [--seed N]
"""

from __future__ import annotations

import random
import signal
import subprocess
import time

from stepweave.embedded.interrupts import AGAIN_STATUS
from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.drills.crash import Scene, communicated, ended, scene
from tests.drills.crash_engine import CANCELLED
from tests.drills.crash_machines import OUTPUT


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` engines that are interrupted."""
    counts, generator = Counts("ctrl-c"), random.Random(seed)
    counts.figures.update(
        interrupted=0, resumes=0, executions=0, outputs_equal=0, processes_left=0, repeated_after_commit=0
    )
    while counts.figures["interrupted"] < kills and not counts.wrong:
        with scene() as one:
            for _ in range(2):
                _interrupt(one, counts, generator)
            counts.figures["resumes"] += 1
            answer = ended(one, counts)
            one.look(counts)
            same = (answer["status"], answer["output"]) == ("SUCCEEDED", OUTPUT)
            counts.figures["executions"] += 1
            counts.figures["outputs_equal"] += same
            counts.check(same, f"the execution ended with {answer}")
            one.count_calls(counts)
    return counts


def _interrupt(one: Scene, counts: Counts, generator: random.Random) -> None:
    """Send SIGINT to the engine, and again a moment later."""
    with one.start() as process:
        try:
            process.communicate(timeout=generator.uniform(0.6, 2))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            time.sleep(generator.choice((0, 0.0001, 0.001, 0.01, 0.1)))
            process.send_signal(signal.SIGINT)
            counts.figures["interrupted"] += 1
        communicated(process)
    # Python's own end by SIGINT, when it struck before the engine began or after it had ended.
    known = (0, CANCELLED, AGAIN_STATUS, -signal.SIGINT)
    counts.check(process.returncode in known, f"the engine exited with {process.returncode}")
    counts.figures[f"exit_{process.returncode}"] += 1
    one.look(counts)
    one.look_for_processes(counts)


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=10)

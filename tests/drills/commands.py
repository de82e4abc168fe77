"""`drill_command`: a drill as a command that prints its counts."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable

from tests.drills.counting import Counts

Drill = Callable[[int, int], Counts]
"""From how often, and a seed, to the counts."""


def drill_command(description: str | None, drill: Drill, *, kills: int) -> None:
    """Run ``drill`` as the command line says; ``kills`` is how often if it says nothing."""
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=kills, help=f"how often; default {kills}")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts = timed(drill, arguments.kills, arguments.seed)
    print(json.dumps(counts.to_json(), indent=1))
    sys.exit(bool(counts.wrong))


def timed(drill: Drill, kills: int, seed: int) -> Counts:
    """The counts of ``drill``, with its duration."""
    began = time.monotonic()
    counts = drill(kills, seed)
    counts.seconds = time.monotonic() - began
    return counts

"""What the benchmarks share: their arguments, their one JSON object, and statistics of repeated measurements."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from typing import Any

SIZES = (10, 100, 1_000, 10_000)


def parser(text: str, *, repeat: int, sizes: Sequence[int] = ()) -> argparse.ArgumentParser:
    """A parser of the options that every benchmark has: ``--json``, ``--repeat`` and, with ``sizes``, ``--sizes``."""
    made = argparse.ArgumentParser(description=text)
    made.add_argument("--json", action="store_true", help="on one line")
    made.add_argument("--repeat", type=int, default=repeat, help=f"measurements of each figure ({repeat})")
    if sizes:
        default = ",".join(map(str, sizes))
        made.add_argument("--sizes", type=_numbers, default=tuple(sizes), help=f"tasks per DAG ({default})")
    return made


def show(figures: dict[str, Any], *, one_line: bool) -> None:
    """Print ``figures`` as one JSON object, with the machine that they are of."""
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}
    # Says whether others used the machine meanwhile.
    machine["load"] = round(os.getloadavg()[0], 2)
    text = json.dumps({**figures, "machine": machine}, indent=None if one_line else 2)
    sys.stdout.write(text + "\n")


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and largest, with four significant digits."""
    return {
        "median": rounded(statistics.median(values)),
        "min": rounded(min(values)),
        "max": rounded(max(values)),
    }


def rounded(value: float) -> float:
    """``value`` with four significant digits: more would be noise."""
    return float(f"{value:.4g}")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))

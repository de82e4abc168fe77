"""Prints how many machines agree with each interpreter: ``python -m tests.parity.report [DRAWN]``.

``--write-moto`` writes which machines of the corpus moto differs on, and how, to ``data/moto.json``.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from contextlib import redirect_stdout
from io import StringIO

from tests.parity.cases import Case, differences
from tests.parity.corpus import CASES
from tests.parity.differences import MACHINES, ROWS
from tests.parity.generated import sample
from tests.parity.moto_differences import FILE, difference_from_moto
from tests.parity.running_ours import in_our_engine
from tests.parity.running_sfnx import in_sfnx


def count_sfnx(cases: tuple[Case, ...]) -> Counter[str]:
    """How many machines agree with sfnx, and how many differ by a row of docs/parity.md or by none."""
    counts: Counter[str] = Counter()
    rows = {name: row for row, what in ROWS.items() for name in what.machines}
    for one in cases:
        pairs = zip(in_our_engine(one), in_sfnx(one), strict=True)
        differs = one.name in MACHINES or any(differences(one, ours, theirs) for ours, theirs in pairs)
        counts[f"differ: {rows.get(one.name, 'by no row')}" if differs else "agree"] += 1
    return counts


def count_moto(cases: tuple[Case, ...]) -> tuple[Counter[str], dict[str, list[str]]]:
    """How many machines agree with moto and how many differ by kind; and which those are."""
    counts: Counter[str] = Counter()
    names: dict[str, list[str]] = defaultdict(list)
    for one in cases:
        kind = difference_from_moto(one)
        counts["agree" if kind is None else f"differ: {kind}"] += 1
        if kind is not None:
            names[kind].append(one.name)
    return counts, dict(sorted(names.items()))


def main(arguments: list[str]) -> None:
    """Print the counts."""
    write = "--write-moto" in arguments
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    drawn = sample(numbers[0] if numbers else 400)
    inputs = sum(len(one.inputs) for one in (*CASES, *drawn))
    print(f"machines: {len(CASES)} written by hand, {len(drawn)} drawn; {inputs} runs in each interpreter")
    with redirect_stdout(StringIO()):  # the JSONata library of both prints
        by_hand, names = count_moto(CASES)
        counted = {
            "sfnx, by hand": count_sfnx(CASES),
            "sfnx, drawn": count_sfnx(drawn),
            "moto with an evaluator, by hand": by_hand,
            "moto with an evaluator, drawn": count_moto(drawn)[0],
        }
    for title, counts in counted.items():
        print(f"\n{title}")
        for kind, count in sorted(counts.items(), key=lambda pair: (pair[0] != "agree", -pair[1])):
            print(f"  {count:5} {kind}")
    if write:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(names, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""How items end, one letter each, and what their node makes of all letters.

A Map may answer with 256 KiB at most, so 50,000 items have five bytes each: ``s`` success, ``f`` failed, ``k`` skipped,
``u`` upstream_failed. A batch answers with one letter per item, as one text.
"""

from __future__ import annotations

from stepweave.asl.text import quoted
from stepweave.graph.constructs import Expansion

SUCCESS = "{% 's' %}"
"""What an item that succeeded puts out: an expression, since public validators know no plain text there."""


_FAILED = "function($i) { $substring($all, $i, 1) in ['f', 'u'] }"


def of_status(status: str) -> str:
    """JSONata for the letter of the JSONata ``status``."""
    return f"{status} = 'success' ? 's' : {status} = 'skipped' ? 'k' : {status} = 'failed' ? 'f' : 'u'"


def verdict(node: str, expansion: Expansion, inside: bool, *, optional: bool, loses: bool) -> str:
    """JSONata for the record of a mapped node, from the result of its Map.

    The node fails when more items failed than it tolerates, by number or by share, and is skipped when all were.

    Args:
        node: Its id.
        expansion: What it tolerates.
        inside: It stands in a body, and so has an index path.
        optional: Its failure is a skip.
        loses: Items that failed are named, since they may have values that do not count.
    """
    failed = f"$failed > {expansion.tolerated_count}"
    if expansion.tolerated_percent:
        failed += f" and $failed * 100 > {expansion.tolerated_percent:g} * $n"
    index = "'index': $run.index, " if inside else ""
    lost = f", 'lost': [$filter([0..$n - 1], {_FAILED})]" if loses else ""
    word = "skipped" if optional else "failed"
    return (
        "($all := $join($states.result); $n := $length($all); "
        f"$failed := {_count('f')} + {_count('u')}; $skipped := {_count('k')}; "
        f"{{'node': {quoted(node)}, {index}'status': {failed} ? '{word}' : $skipped = $n ? 'skipped' : 'success', "
        f"'n': $n, 'failed': $failed, 'skipped': $skipped{lost}}})"
    )


def _count(letter: str) -> str:
    return f"($n - $length($replace($all, '{letter}', '')))"

"""How items end, one letter each, and what their node makes of all letters.

A Map may answer with 256 KiB at most, so 50,000 items have five bytes each: ``s`` success, ``f`` failed, ``k`` skipped,
``u`` upstream_failed. A batch answers with one letter per item, as one text.
"""

from __future__ import annotations

from stepweave.asl.text import quoted
from stepweave.graph.constructs import Expansion

SUCCESS, FAILED, SKIPPED = "s", "f", "k"


def of_status(status: str) -> str:
    """JSONata for the letter of the JSONata ``status``."""
    return f"{status} = 'success' ? 's' : {status} = 'skipped' ? 'k' : {status} = 'failed' ? 'f' : 'u'"


def verdict(node: str, expansion: Expansion, inside: bool, *, optional: bool) -> str:
    """JSONata for the record of a mapped node, from the result of its Map.

    The node fails when more items failed than it tolerates, by number or by share, and is skipped when all were.
    ``inside``: it stands in a body, and so has an index path.
    """
    failed = f"$failed > {expansion.tolerated_count}"
    if expansion.tolerated_percent:
        failed += f" and $failed * 100 > {expansion.tolerated_percent:g} * $n"
    index = "'index': $run.index, " if inside else ""
    word = "skipped" if optional else "failed"
    return (
        "($all := $join($states.result); $n := $length($all); "
        f"$failed := {_count('f')} + {_count('u')}; $skipped := {_count('k')}; "
        f"{{'node': {quoted(node)}, {index}'status': {failed} ? '{word}' : $skipped = $n ? 'skipped' : 'success', "
        "'n': $n, 'failed': $failed, 'skipped': $skipped})"
    )


def _count(letter: str) -> str:
    return f"($n - $length($replace($all, '{letter}', '')))"

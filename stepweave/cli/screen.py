"""How tables and coloured lines reach standard output: coloured on a terminal, plain elsewhere.

``NO_COLOR`` is respected (https://no-color.org). No library: importing one would take longer than printing the table.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from stepweave.cli.progress.words import STYLES

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}
"""SGR codes (ECMA-48, 8.3.117)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under a head."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    status_column: int
    """Column whose text is a status and gives the row's colour."""


def print_table(table: Table) -> None:
    """Write ``table`` to standard output, columns aligned."""
    widths = [max(len(row[column]) for row in (table.head, *table.rows)) for column in range(len(table.head))]
    lines = [paint(_aligned(table.head, widths), "dim")]
    for row in table.rows:
        cells = [f"{text:<{width}}" for text, width in zip(row, widths, strict=True)]
        cells[table.status_column] = paint(
            cells[table.status_column], STYLES.get(row[table.status_column], "")
        )
        lines.append("  ".join(cells).rstrip())
    sys.stdout.write("\n".join(lines) + "\n")


def paint(text: str, style: str) -> str:
    """``text`` in ``style`` (``bold red``), when standard output shows colours."""
    codes = [_CODES[word] for word in style.split()]
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes and has_colours() else text


def has_colours() -> bool:
    """True when standard output is a terminal and nobody asked for no colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{text:<{width}}" for text, width in zip(cells, widths, strict=True)).rstrip()

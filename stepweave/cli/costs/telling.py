"""How costs are written: as JSON objects and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from stepweave.pricing.usage import Line, Usage, bill

MAX_TASKS = 8
"""Tasks that are named, the dearest first."""


def dollars(usd: float) -> str:
    """``usd`` with as many digits as say something: ``$1,234``, ``$12.30``, ``$0.0024``, ``$0.0000031``.

    >>> dollars(12.3), dollars(0.00241), dollars(0.0)
    ('$12.30', '$0.0024', '$0')
    """
    if usd == 0:
        return "$0"
    if usd >= 1_000:
        return f"${usd:,.0f}"
    if usd >= 1:
        return f"${usd:.2f}"
    digits = 2
    while round(usd, digits) < 10 ** (1 - digits) and digits < 9:
        digits += 1
    return f"${usd:.{digits}f}"


def line_objects(usage: Usage, region: str) -> list[dict[str, Any]]:
    """The lines of a bill as JSON."""
    return [
        asdict(line) | {"usd": round(line.usd, 9), "amount": round(line.amount, 9)}
        for line in bill(usage, region)
    ]


def bill_lines(usage: Usage, region: str) -> list[str]:
    """The lines of a bill for people."""
    found = bill(usage, region)
    width = max((len(_what(line)) for line in found), default=0)
    return [
        f"  {dollars(line.usd):>12}  {_what(line):<{width}}  {amount(line.amount)} {line.unit}"
        for line in found
    ]


def amount(number: float) -> str:
    """A quantity: whole numbers whole, others with three digits that say something."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,.3g}"


def task_lines(tasks: Iterable[tuple[str, float]]) -> list[str]:
    """The dearest tasks, and how many more there are."""
    ordered = sorted(tasks, key=lambda pair: (-pair[1], pair[0]))
    lines = [f"  {dollars(usd):>12}  {task}" for task, usd in ordered[:MAX_TASKS]]
    rest: Sequence[tuple[str, float]] = ordered[MAX_TASKS:]
    if rest:
        lines.append(f"  {dollars(sum(usd for _, usd in rest)):>12}  ({len(rest)} more)")
    return lines


def _what(line: Line) -> str:
    return f"{line.service}: {line.what}"

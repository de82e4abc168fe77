"""How large a function may be."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from stepweave.errors import UsageError

LAMBDA_MAX_UNZIPPED_BYTES = 262_144_000
"""250 MiB of code and dependencies, unzipped: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_NAMED = 6
_SPARE_BYTES = 2**20
"""Left free when bytecode is added: it must not be what makes a function too large."""
_MIB = 2**20


def check_size(name: str, total: int, parts: Mapping[str, int]) -> None:
    """Raise ``UsageError`` that names the largest parts where ``total`` bytes are too many for Lambda."""
    if total <= LAMBDA_MAX_UNZIPPED_BYTES:
        return
    largest = sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:_NAMED]
    listed = "\n".join(f"        {part:<24} {size / _MIB:>7.1f} MiB" for part, size in largest)
    raise UsageError(
        f"{name} is too large for Lambda\n"
        f"    expected: at most {LAMBDA_MAX_UNZIPPED_BYTES / _MIB:.0f} MiB, unzipped\n"
        f"    got:      {total / _MIB:.1f} MiB, of which\n{listed}\n"
        "    to fix:   give @dag(requirements=...) only what every task needs, and @task(requirements=...) the rest; "
        "or run the task as a job: @task(compute=Batch)"
    )


def without_bytecode(sources: int, bytecode: Mapping[str, int], needed: Collection[str]) -> tuple[str, ...]:
    """The parts of a function that do without their bytecode, so that the rest fits Lambda beside ``sources`` bytes.

    The largest go first, the last of them being the smallest that is enough; those ``needed`` at every start go only
    when all others have.

    >>> without_bytecode(LAMBDA_MAX_UNZIPPED_BYTES - 4 * 2**20, {"a": 3 * 2**20, "b": 2**20, "c": 2**20}, ["c"])
    ('a',)
    """
    excess = sources + sum(bytecode.values()) - (LAMBDA_MAX_UNZIPPED_BYTES - _SPARE_BYTES)
    without: list[str] = []
    for group in (bytecode.keys() - set(needed), bytecode.keys() & set(needed)):
        left = sorted(group, key=lambda part: (bytecode[part], part))
        while excess > 0 and left:
            part = next((one for one in left if bytecode[one] >= excess), left[-1])
            left.remove(part)
            without.append(part)
            excess -= bytecode[part]
    return tuple(without)

"""`read_pairs`: options of the form ``NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Sequence

from stepweave.errors import UsageError


def read_pairs(option: str, pairs: Sequence[str], value: str) -> dict[str, str]:
    """Name and value of each pair, in the order typed; ``value`` says in errors what a value is.

    Raises ``UsageError`` for a pair without a name or a value, and for a name that is given twice.

    >>> read_pairs("--job", ["train=python train.py --rate=3"], "COMMAND")
    {'train': 'python train.py --rate=3'}
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not name or not separator or (not text and option != "--set"):
            raise UsageError(f"{option} is not of the form NAME={value}: {pair!r}")
        if name in found:
            raise UsageError(f"{option} gives {name!r} twice: {found[name]!r} and {text!r}")
        found[name] = text
    return found

"""The journal of an execution: a file of its own in the folder that ``--journal`` names."""

from __future__ import annotations

import difflib
import itertools
import re
from pathlib import Path

from stepweave.cli.execution.order import Order
from stepweave.engine.journal import Journal
from stepweave.errors import UsageError

SUFFIX = ".journal"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
"""Names that are names of executions on AWS and of files everywhere:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html."""
_UNUSUAL = re.compile(r"[^A-Za-z0-9_.-]+")
_STEM_CHARACTERS = 70
"""Characters of a machine's name in those of its executions, which leaves room for a number."""


def execution_name(order: Order, machine: str) -> str:
    """The name of the execution: as typed, or the machine's with the first number that the journal does not have.

    Raises ``UsageError`` for a name that cannot be.
    """
    name = order.continued or order.name
    if name is None:
        stem = _UNUSUAL.sub("-", machine)[:_STEM_CHARACTERS].lstrip("-.") or "execution"
        numbered = (f"{stem}-{number}" for number in itertools.count(1))
        return next(each for each in numbered if order.journal is None or not _path(order, each).exists())
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of an execution: letters, digits, '_', '-' and '.', at most 80 of them"
        )
    return name


def open_journal(order: Order, name: str, identity: str) -> Journal | None:
    """The journal of the execution ``name``; None without ``--journal``.

    Raises ``UsageError`` when a new execution has the name of one that is there, or one that is to go on is not there,
    runs elsewhere, or began with other definitions than those of ``identity``.
    """
    if order.journal is None:
        return None
    path = _path(order, name)
    holds = _holds_an_execution(path)
    if order.continued is None and holds:
        raise UsageError(
            f"the journal in {order.journal!r} has an execution {name!r} already; choose another --name, or go on with"
            f" it:\n  {order.going_on('--resume', name)}    if it was cut off"
            f"\n  {order.going_on('--redrive', name)}    if it failed"
        )
    if order.continued is not None and not holds:
        raise UsageError(f"the journal in {order.journal!r} has no execution {name!r}{_others(order, name)}")
    try:
        return Journal(path, identity)
    except OSError as error:
        raise UsageError(f"the journal {path} cannot be opened: {error.strerror}") from error


def time_in(journal: Journal | None) -> float | None:
    """When the journal was last written, by the execution's clock, in seconds since the epoch; None for a new one."""
    if journal is None or not journal.kept:
        return None
    times = [kept.start["started_at"] for kept in journal.kept]
    return max([*times, *(record[2] for kept in journal.kept for record in kept.records)], default=None)


def _path(order: Order, name: str) -> Path:
    return Path(order.journal or "", f"{name}{SUFFIX}")


def _holds_an_execution(path: Path) -> bool:
    """Whether the file has more than its first line, which is there before an execution is."""
    try:
        with path.open("rb") as file:
            file.readline()
            return file.readline().endswith(b"\n")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(f"the journal {path} cannot be read: {error.strerror}") from error


def _others(order: Order, name: str) -> str:
    names = sorted(path.name.removesuffix(SUFFIX) for path in Path(order.journal or "").glob(f"*{SUFFIX}"))
    if near := difflib.get_close_matches(name, names, n=1):
        return f"; did you mean {near[0]!r}?"
    return f"; it has: {', '.join(names)}" if names else "; it has none"

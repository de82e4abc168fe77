"""How users name a circuit breaker."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stepweave.authoring.retry import Duration
from stepweave.authoring.units import seconds

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True, slots=True)
class Breaker:
    """A circuit breaker: ``@task(breaker=Breaker("payments-api", failures=5, reset="60s"))``.

    All tasks of all DAGs that name it share it.
    """

    name: str
    failures: int = 5
    """Failures in a row after which it opens."""
    reset: Duration = 60
    """How long it stays open before one attempt may probe."""


def checked(given: Breaker) -> Breaker:
    """The breaker, with ``reset`` in seconds. Raises ``ValueError`` where a part cannot be understood."""
    name: object = given.name  # users without a type checker give anything
    failures: object = given.failures
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("a name of letters, digits, _, . and -, at most 80 of them")
    if not isinstance(failures, int) or isinstance(failures, bool) or failures < 1:
        raise ValueError("failures must be a whole number, 1 or more")
    return Breaker(name, failures, max(1, seconds(given.reset)))

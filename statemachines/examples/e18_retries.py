"""Retries: which errors are worth another attempt, how many, and when.

- By default four classes count: ``TransientError`` and ``ResourceError`` are retried, ``DataError`` and
  ``PermanentError`` are not; other exceptions are sorted into them.
- A list of policies treats classes differently. A class of your own counts with its subclasses: ``DailyQuota`` is
  a ``Quota``.
- ``RetryAfter`` puts the task off for as long as the other side asked for; no compute is held meanwhile.
- A task with ``heartbeat`` that shows no sign of life for so long is given up and tried again.
- ``timeout`` limits each attempt.

Here every task has trouble on its first attempt only. ``--param gone=true`` makes an error that no attempt cures.

Run it: ``stepweave run statemachines/examples/e18_retries.py``.
"""

from __future__ import annotations

import time

from stepweave import Retry, dag, get_current_context, task
from stepweave.errors import Fail, RetryAfter


class Quota(Exception):
    """The service has answered too many questions."""


class DailyQuota(Quota):
    """Too many for today."""


def first_attempt() -> bool:
    """Whether no attempt was made before this one."""
    return get_current_context().attempt == 0


@task(
    retry=[
        Retry(attempts=5, delay=1, max_delay=2, on=[ConnectionError, TimeoutError]),
        Retry(attempts=1, delay=1, jitter=False, on=[Quota]),
    ]
)
def search(gone: bool) -> list[str]:
    """Returns titles."""
    if gone:
        raise Fail("410 Gone: another attempt would not help")
    if first_attempt():
        raise DailyQuota("10,000 requests since midnight")
    return ["On Computable Numbers", "A Mathematical Theory of Communication"]


@task(retries=2)
def download(titles: list[str]) -> dict[str, int]:
    """Returns the number of pages of each title."""
    if first_attempt():
        raise RetryAfter(1, "503, Retry-After: 1")
    return {title: 30 + len(title) for title in titles}


@task(retry=Retry(attempts=1, delay=1, jitter=False), heartbeat="2s", timeout="1m")
def read(pages: dict[str, int]) -> int:
    """Returns the number of pages read; the first attempt hangs in the middle."""
    done = 0
    for number in pages.values():
        get_current_context().heartbeat()
        if first_attempt():
            time.sleep(4)
        done += number
    return done


@dag
def retries(gone: bool = False) -> None:
    """Reads papers over a line that has trouble."""
    read(download(search(gone)))

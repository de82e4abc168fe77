"""DAGs whose tasks do what tasks do in bad times."""

from __future__ import annotations

import os
import time

from stepweave import Fargate, Retry, dag, get_current_context, task
from stepweave.errors import DataError

QUICK = Retry(attempts=2, delay="1s", jitter=False)


@task(retry=QUICK)
def dies() -> str:
    """Returns the number of its attempt; the first one takes the process with it."""
    attempt = get_current_context().attempt
    if attempt == 0:
        os._exit(1)
    return f"attempt {attempt}"


@task(retry=QUICK, timeout="2s")
def hangs() -> str:
    """Returns the number of its attempt; the first one is not over in time."""
    attempt = get_current_context().attempt
    if attempt == 0:
        time.sleep(30)
    return f"attempt {attempt}"


@task(cpu=1, memory="2GiB", spot=True, retry=QUICK)
def crunch() -> str:
    """Returns the number of its attempt; the first job dies."""
    attempt = get_current_context().attempt
    if attempt == 0:
        os._exit(9)
    return f"attempt {attempt}"


@task(compute=Fargate, cpu=0.5, retry=QUICK)
def aside() -> str:
    """Returns its queue, and the number of its attempt; the first job dies."""
    attempt = get_current_context().attempt
    if attempt == 0:
        os._exit(9)
    return f"{os.environ['AWS_BATCH_JQ_NAME']}: attempt {attempt}"


@task
def collect(parts: list[str]) -> list[str]:
    """Returns its parts."""
    return parts


@dag
def troubled() -> None:
    """Four tasks fail at first, each in its own way."""
    collect([dies(), hangs(), crunch(), aside()])


@task
def good() -> str:
    """Returns something."""
    return "kept"


@task
def bad(wanted: bool) -> str:
    """Returns something, when it is wanted."""
    if not wanted:
        raise DataError("line 3 has four columns, expected five")
    return "mended"


@task
def join(left: str, right: str) -> str:
    """Returns both."""
    return f"{left} and {right}"


@dag
def failing(wanted: bool = False) -> None:
    """Fails by default."""
    join(good(), bad(wanted))

"""When Python's cyclic garbage collector runs.

A large DAG is hundreds of thousands of small objects, none of them garbage before the end. Left alone, the
collector looks at all of them again and again: half of the time of a compilation, and more with every task.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NOBODYS = 1_000
"""More objects than are frozen before anybody froze any: Python 3.12.1 begins with 375, others with none, and whoever
freezes has thousands."""


@contextmanager
def paused() -> Iterator[None]:
    """No collection inside: for work whose allocations live to its end.

    Afterwards they count as old, so that the next collection of what is young does not look at them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        with sparing_what_exists():  # frozen and unfrozen, all is in the oldest generation
            pass
        if enabled:
            gc.enable()


@contextmanager
def sparing_what_exists() -> Iterator[None]:
    """Collections inside leave out all that exists at the start: for a run, which makes little that lives long."""
    ours = gc.get_freeze_count() < _NOBODYS  # what somebody else has frozen is theirs to unfreeze
    if ours:
        gc.freeze()
    try:
        yield
    finally:
        if ours:
            gc.unfreeze()

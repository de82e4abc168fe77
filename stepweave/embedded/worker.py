"""What a worker process runs: one attempt of one task, in the store that the environment names."""

from __future__ import annotations

import functools
import os
import time
from typing import cast

from stepweave.engine.callables import failure
from stepweave.runtime.events import Event, Record
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import ObjectStore, open_store

_STORE_VARIABLE = "STEPWEAVE_STORE"  # set by the pool (stepweave.embedded.pool)


def run_task(event: object) -> tuple[float, Record | None, tuple[str, str] | None]:
    """When the attempt began here, in seconds since the epoch; the task's record, or name and cause of its error.

    The time tells the parent how long it waited for this process to start. Record and error are those of
    docs/architecture.md.
    """
    began = time.time()
    try:
        return began, invoke(cast(Event, event), _store()), None
    except (Exception, SystemExit) as error:
        return began, None, failure(error)


@functools.cache
def _store() -> ObjectStore:
    return open_store(os.environ[_STORE_VARIABLE])

"""`start`: begins a run: the first worker process at once, and beside it everything else that a run needs."""

from __future__ import annotations

from typing import cast

from stepweave.cli.answer import Answer
from stepweave.cli.lazy import module_named
from stepweave.embedded.pool import worker_pool
from stepweave.embedded.request import RunRequest


def start(request: RunRequest, as_json: bool, *, ask: bool = True) -> Answer:
    """The answer of the run's command, after the run.

    ``ask``: ask for approvals on the terminal.

    Raises ``ParamsError``, or ``UsageError`` for a run id that cannot be, before anything has started.
    """
    if request.run_id is not None:
        module_named("stepweave.runtime.run_ids").check_run_id(request.run_id)
    request.dag.validate_params(request.params)
    pool = None
    if not request.inline:
        pool = worker_pool(request.dag, request.store, request.workers)
        pool.start()
    running = module_named("stepweave.cli.running")
    return cast(Answer, running.run_and_show(request, pool, as_json, ask))

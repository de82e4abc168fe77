"""`announce(run)`: the end of a run as an event on the environment's bus, for whoever wants to build on it.

    {"source": "stepweave", "detail-type": "Run Ended",
     "detail": {"env", "dag", "run_id", "status", "logical_date", "started", "ended", "attempt", "failed", "execution"}}

It comes at least once. Params are not in it: a bus has readers whom nobody knows.
"""

from __future__ import annotations

import json
from typing import Any

from stepweave.stores.run_table import DeployedRun

SOURCE = "stepweave"
DETAIL_TYPE = "Run Ended"


class BusError(Exception):
    """The bus did not take an event."""


def announce(events: Any, bus: str, env: str, run: DeployedRun) -> None:
    """Put the event on ``bus``, by the boto3 client ``events``; :class:`BusError` when it was not taken."""
    detail = {
        "env": env,
        "dag": run.dag,
        "run_id": run.run_id,
        "status": run.status,
        "logical_date": run.facts.logical_date,
        "started": run.started,
        "ended": run.ended,
        "attempt": run.attempt,
        "failed": sorted(run.failed),
        "execution": run.execution,
    }
    entry = {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Detail": json.dumps(detail, ensure_ascii=False),
        "Resources": [run.execution] if run.execution else [],
    }
    answer = events.put_events(Entries=[entry])
    if answer.get("FailedEntryCount"):
        refused = answer["Entries"][0]
        raise BusError(f"{refused.get('ErrorCode')}: {refused.get('ErrorMessage')}")

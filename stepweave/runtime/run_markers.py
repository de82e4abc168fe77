"""`write_marker`: tells other DAGs how a run ended (``wait_for_dag`` reads it)."""

from __future__ import annotations

import json

from stepweave.stores.layout import status_key
from stepweave.stores.objects import ObjectStore


def write_marker(
    store: ObjectStore, dag_id: str, run_id: str, status: str, *, logical_date: str | None
) -> None:
    """Write how the run ended under its logical date, or under its id when it has none."""
    marker = {"run_id": run_id, "status": status, "logical_date": logical_date}
    store.put(status_key(dag_id, logical_date or run_id), json.dumps(marker).encode())

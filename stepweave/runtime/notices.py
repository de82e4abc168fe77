"""`answer(event, ...)`: a function of the user's is told how a run ended, once in an execution."""

from __future__ import annotations

import json

from stepweave.runtime.attempt import Place, log_of, ran
from stepweave.runtime.events import Event, Record
from stepweave.runtime.parameters import fitting
from stepweave.runtime.resolve import task_function
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import notice_prefix, result_key, segment
from stepweave.stores.objects import ObjectStore


def answer(event: Event, store: ObjectStore, prefix: str, scratch: Scratch, place: Place) -> Record:
    """``{"status": "success"}`` after the function has been told."""
    run, notice = event["run"], event["notice"]
    told = f"{notice_prefix(run['dag'], run['id'], event['task'])}/{segment(run.get('execution') or '0')}"
    if store.get_or_none(result_key(told)) is None:
        facts = {
            "run_id": run["id"],
            "dag_id": run["dag"],
            "status": notice["status"],
            "failed": list(notice["by"]),
            "params": dict(run.get("params", {})),
        }
        function = task_function(event["call"])
        arguments = fitting(function, facts, f"{event['task']} of DAG {run['dag']!r}")
        with log_of(event, store, told, place):
            ran(event, store, scratch, function, arguments)
        store.create(result_key(told), json.dumps({"status": notice["status"]}).encode())
    return Record(status="success")

"""Lambda function that keeps the records of an environment's runs, from the status events of their executions.

Events: of EventBridge (*Step Functions Execution Status Change*), and ``{"reconcile": true}`` of a schedule.

Environment: ``STEPWEAVE_ENV``, ``STEPWEAVE_STORE``, ``STEPWEAVE_TABLE``, ``STEPWEAVE_TOPICS`` (JSON: ARNs by kind);
optional ``STEPWEAVE_BUS``, the bus that is told of ends, ``STEPWEAVE_RUNBOOK``, the address of the runbook,
``STEPWEAVE_RECORDS_DAYS`` and ``STEPWEAVE_VERSIONS_DAYS``.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.recorder.deployed_dags import DeployedDags
from functions.recorder.old_versions import OldVersions
from functions.recorder.reconciling import Reconciler
from functions.recorder.recording import Clients, Recorder
from functions.recorder.run_metrics import fleet_line
from functions.shared.environment import (
    client,
    environment_name,
    records_days,
    store_url,
    table_name,
    topics,
    versions_days,
)
from stepweave.errors import UsageError
from stepweave.stores.objects import open_store
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import RunTable

_RUNBOOK = "docs/operating.md"
_LAST_MILLISECONDS = 15_000
"""With less time left the reconciler begins nothing new."""

logger = Logger(service="recorder")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What was recorded, or how much was put right and cleared away."""
    recorder, clients, dags = _parts(environment_name(), table_name(), store_url())
    if event.get("reconcile"):

        def has_time() -> bool:
            return context.get_remaining_time_in_millis() > _LAST_MILLISECONDS

        counts = Reconciler(recorder, clients, dags, has_time=has_time).reconcile()
        # Told before versions are looked at: what waits is what an alarm reads.
        _write_line(fleet_line(environment_name(), counts))
        old = OldVersions(
            environment_name(),
            clients.functions,
            clients.states,
            dags,
            days=versions_days(),
            has_time=has_time,
            now=time.time,
        )
        counts["versions"] = old.delete()
        logger.info("reconciled", extra=counts)
        return dict(counts)
    detail = event.get("detail")
    if event.get("source") != "aws.states" or not isinstance(detail, dict):
        raise UsageError(
            f"the recorder was called with source {event.get('source')!r}; expected a status event of aws.states, "
            'or {"reconcile": true}'
        )
    dag = dags.of_machine(detail["stateMachineArn"])
    if dag is None:
        # A part of a DAG, or a machine of somebody else: no run of its own.
        return {"run_id": None}
    state, _ = recorder.tell(dag, detail)
    told = {"dag": dag.dag, "run": state.run_id, "status": state.status, "execution": state.execution}
    if state.error:
        told["error"] = state.error.splitlines()[0]
    logger.info("recorded", extra=told)
    return {"run_id": state.run_id, "status": state.status}


@functools.lru_cache(maxsize=1)
def _parts(env: str, table: str, store: str) -> tuple[Recorder, Clients, DeployedDags]:
    dynamodb = client("dynamodb")
    clients = Clients(
        table=RunTable(dynamodb, table, records_days()),
        queue=RunQueue(dynamodb, table),
        store=open_store(store),
        states=client("stepfunctions"),
        sns=client("sns"),
        functions=client("lambda"),
        events=client("events"),
    )
    recorder = Recorder(
        env,
        clients,
        warn_topic=topics().get("warn"),
        bus=os.environ.get("STEPWEAVE_BUS") or None,
        runbook=os.environ.get("STEPWEAVE_RUNBOOK", _RUNBOOK),
        write_line=_write_line,
    )
    return recorder, clients, DeployedDags(client("ssm"), env)


def _write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")

"""Lambda function that starts the runs of one DAG: for schedules, uploads, people, and when a slot comes free.

The forms of its event are in :mod:`functions.starter.requests`, besides ``{"source": "resume", "run_id", "by"?}`` and
``{"source": "queue"}``. The answer is ``{"run_id", "execution", "status"}``; the status is ``started``, ``duplicate``,
``queued``, or ``idle`` when no queued run could begin.

Environment: ``STEPWEAVE_MACHINE`` (ARN of the alias), ``STEPWEAVE_TABLE``; ``dag.json`` beside the code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.shared.environment import client, records_days, required, table_name
from functions.starter.dag_file import DagFile, read_dag_file
from functions.starter.machine import Machine
from functions.starter.requests import resumed, to_request
from functions.starter.starting import Started, Starter
from stepweave.errors import UsageError
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import ENDED, DeployedRun, RunTable

logger = Logger(service="starter")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What became of the run that ``event`` asks for."""
    dag = read_dag_file(os.environ.get("LAMBDA_TASK_ROOT") or os.getcwd())
    logger.append_keys(dag=dag.dag, source=event.get("source"))
    started = _started(event, dag)
    logger.info("run asked for", extra={"run": started.run_id, "status": started.status})
    return started.to_json()


def _started(event: Mapping[str, Any], dag: DagFile) -> Started:
    dynamodb, days = client("dynamodb"), records_days()
    runs, queue = RunTable(dynamodb, table_name(), days), RunQueue(dynamodb, table_name(), days)
    arn = required("STEPWEAVE_MACHINE", "the ARN of the state machine's alias")
    machine = Machine(arn, client("stepfunctions"))
    starter = Starter(dag, machine, runs, queue)
    match event.get("source"):
        case "queue":
            return starter.drain()
        case "resume":
            run = _to_resume(runs, dag.dag, str(event.get("run_id", "")))
            return starter.start(resumed(run, _input(run, machine), event.get("by"), dag.code_version))
        case _:
            request = to_request(event, dag, datetime.now(UTC))
            return starter.start(request) if request else Started(run_id=None, status="ignored")


def _to_resume(runs: RunTable, dag: str, run_id: str) -> DeployedRun:
    """The run to go on with. Raises ``UsageError`` unless it ended without success."""
    run = runs.get(dag, run_id)
    if run is None:
        raise UsageError(f"DAG {dag!r} has no run {run_id!r} on record; see: stepweave runs --env")
    if run.status == "success" or run.status not in ENDED:
        raise UsageError(f"run {run_id!r} is {run.status}; only runs that ended without success are resumed")
    return run


def _input(run: DeployedRun, machine: Machine) -> Mapping[str, Any]:
    """The input with which a run began, as far as a resumed one has the same."""
    if run.params is not None:
        return {"params": run.params, "logical_date": run.facts.logical_date}
    if run.execution is None:
        raise UsageError(f"run {run.run_id!r} never began; start it again: stepweave trigger --env")
    given: Mapping[str, Any] = json.loads(machine.input_of(run.execution))  # too long for the record
    return given

"""Lambda function that runs light tasks, and prepares and collects Batch jobs.

Environment: ``STEPWEAVE_STORE`` (``s3://bucket/prefix``); for logs and metrics ``POWERTOOLS_SERVICE_NAME`` and
``POWERTOOLS_METRICS_NAMESPACE``. The answer is the record of the task; an error reaches the state machine as one of the
four classes.
"""

from __future__ import annotations

import functools
import os
import time

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from stepweave.errors import UsageError
from stepweave.runtime.events import Event, Record
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import ObjectStore, open_store

STORE_VARIABLE = "STEPWEAVE_STORE"

logger = Logger(service="task_runner")
metrics = Metrics(namespace="Stepweave", service="task_runner")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: Event, context: LambdaContext) -> Record:
    """The record of the task that ``event`` describes."""
    run = event["run"]
    logger.append_keys(dag=run["dag"], run=run["id"], task=event["task"], attempt=event.get("attempt", 0))
    metrics.add_dimension(name="dag", value=run["dag"])
    start = time.perf_counter()
    try:
        # CloudWatch keeps what the task logs and prints.
        record = invoke(event, _store(os.environ.get(STORE_VARIABLE, "")), compute="lambda", logs=False)
        metrics.add_metric(name="TaskSucceeded", unit=MetricUnit.Count, value=1)
    except Exception as error:
        metrics.add_metric(name=type(error).__name__, unit=MetricUnit.Count, value=1)
        logger.warning(
            "task did not succeed", extra={"error_class": type(error).__name__, "error": str(error)}
        )
        raise
    finally:
        metrics.add_metric(name="TaskSeconds", unit=MetricUnit.Seconds, value=time.perf_counter() - start)
    return record


@functools.lru_cache(maxsize=1)
def _store(url: str) -> ObjectStore:
    """The store, opened once per execution environment."""
    if not url:
        raise UsageError(f"the environment variable {STORE_VARIABLE} is not set; expected s3://bucket/prefix")
    return open_store(url)

"""Lambda function that runs light tasks, and prepares and collects Batch jobs.

Environment: ``STEPWEAVE_STORE`` (``s3://bucket``), ``STEPWEAVE_ENV``; optional ``STEPWEAVE_TASK_METRICS=1``,
``POWERTOOLS_TRACE_ENABLED=true``. The answer is the record of the task; an error reaches the state machine as one of
the four classes, before Lambda would kill a function that takes too long.
"""

from __future__ import annotations

import functools
import logging
import os
import sys

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.task_runner.tracing import subsegment
from stepweave.errors import UsageError
from stepweave.runtime.deadline import ending_before
from stepweave.runtime.events import Event, Record
from stepweave.runtime.invoke import invoke
from stepweave.runtime.measured import log_keys, measured
from stepweave.stores.objects import ObjectStore, open_store

STORE_VARIABLE = "STEPWEAVE_STORE"
_TO_REPORT_SECONDS = 1.5
"""Time that is left for an attempt that was interrupted to tell what became of it."""
_MOST_OF_SHORT = 0.8
"""Share of the time left that an attempt may take, where that is little."""

logger = Logger(service="task_runner")


@logger.inject_lambda_context(clear_state=True)
def handler(event: Event, context: LambdaContext) -> Record:
    """The record of the task that ``event`` describes."""
    keys = log_keys(event)
    logger.append_keys(**keys)
    logger.set_correlation_id(event["run"]["id"])
    _share_format()
    store = _store(os.environ.get(STORE_VARIABLE, ""))
    left = context.get_remaining_time_in_millis() / 1000
    try:
        with (
            subsegment(keys),
            measured(event, os.environ, _write_line),
            ending_before(max(left - _TO_REPORT_SECONDS, left * _MOST_OF_SHORT)),
        ):
            # CloudWatch keeps what the task logs and prints.
            return invoke(event, store, compute="lambda", logs=False)
    except Exception as error:
        logger.warning(
            "task did not succeed", extra={"error_class": type(error).__name__, "error": str(error)}
        )
        raise


def _share_format() -> None:
    """Lines that the task logs by itself are JSON with the same keys."""
    root = logging.getLogger()
    formatter = logger.registered_formatter
    if not root.handlers:
        root.addHandler(logger.registered_handler)
    for handling in root.handlers:
        if handling.formatter is not formatter:
            handling.setFormatter(formatter)
    if root.level == logging.WARNING:  # as Python has it: nobody has said what is wanted
        root.setLevel(logger.log_level)


def _write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


@functools.lru_cache(maxsize=1)
def _store(url: str) -> ObjectStore:
    """The store, opened once per execution environment."""
    if not url:
        raise UsageError(f"the environment variable {STORE_VARIABLE} is not set; expected s3://bucket/prefix")
    return open_store(url)

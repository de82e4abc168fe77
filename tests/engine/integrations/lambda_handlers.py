"""Lambda handlers as their authors write them."""

import os
import time
from typing import Any


def describe(event: Any, context: Any) -> Any:
    return {
        "event": event,
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "version": context.function_version,
        "request": context.aws_request_id,
        "group": context.log_group_name,
        "left": context.get_remaining_time_in_millis(),
        "variable": os.environ.get("TABLE"),
        "process": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
    }


def sleep(event: Any, context: Any) -> str:
    time.sleep(event)
    return "awake"


def fail(event: Any, context: Any) -> None:
    raise KeyError(event)

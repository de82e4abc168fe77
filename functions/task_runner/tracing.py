"""`subsegment(keys)`: the part of an X-Ray trace that an attempt is; the SDK is loaded only where tracing is on.

It takes half a second to import, five times as long as the whole task runner.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

VARIABLE = "POWERTOOLS_TRACE_ENABLED"


def subsegment(keys: Mapping[str, Any]) -> AbstractContextManager[Any]:
    """A context in which the trace says which task runs; nothing where tracing is off."""
    if os.environ.get(VARIABLE, "").lower() not in ("1", "true"):
        return nullcontext()
    return _annotated(_tracer(), keys)


@functools.cache
def _tracer() -> Any:
    return importlib.import_module("aws_lambda_powertools").Tracer(service="task_runner")


@contextmanager
def _annotated(tracer: Any, keys: Mapping[str, Any]) -> Iterator[None]:
    with tracer.provider.in_subsegment(name=f"## {keys['task']}"[:200]):
        for name, value in keys.items():
            tracer.put_annotation(key=name, value=value)
        yield

"""What replaces ministack's way of running a function: the pool, Lambda's errors, metrics of every kind of call."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch, lambda_svc

from stepweave.local_aws.environment import variables
from stepweave.local_aws.layer import permissions
from stepweave.local_aws.layer.lambdas.pool import Pool
from stepweave.local_aws.layer.lambdas.process import Invocation
from stepweave.local_aws.layer.part import Setting
from stepweave.local_aws.layer.seams import Seam

SEAMS = (
    Seam("ministack.services.lambda_svc", "_execute_function_warm", ("func", "event", "request_id")),
    Seam("ministack.services.lambda_svc", "_execute_function", ("func", "event")),
    Seam("ministack.services.lambda_svc", "_probe_peak_memory_mb", ("func",)),
    Seam("ministack.services.lambda_svc", "_resolve_layer_zip", ("attachment",)),
    Seam(
        "ministack.services.lambda_svc", "_xray_trace_id_for_invocation", ("config", "inbound_trace_header")
    ),
    Seam(
        "ministack.services.lambda_svc",
        "_emit_lambda_metrics",
        ("function_name", "duration_ms", "error", "throttle"),
    ),
    Seam(
        "ministack.services.cloudwatch",
        "record_metric",
        ("namespace", "metric_name", "value", "unit", "dimensions"),
    ),
)

_last = threading.local()
"""Peak memory of the invocation that this thread has just run; ministack asks for it when it writes the report line."""


class Executor:
    """Runs functions in the processes of a pool."""

    def __init__(self, setting: Setting) -> None:
        connection = variables(setting.endpoint)
        self.pool = Pool(
            setting.temporary,
            lambda config: {**connection, **_identity(config)},
            lambda_svc._resolve_layer_zip,
        )
        self._execute = lambda_svc._execute_function

    def install(self) -> None:
        """Take the place of ministack's functions."""
        lambda_svc._execute_function_warm = self.execute_warm
        lambda_svc._execute_function = self.execute
        lambda_svc._probe_peak_memory_mb = lambda func: getattr(_last, "peak_mib", 0)
        # It counts synchronous calls through its API only, and never those of a state machine or a topic.
        lambda_svc._emit_lambda_metrics = lambda *args, **kwargs: None

    def execute(self, func: Mapping[str, Any], event: Any) -> dict[str, Any]:
        """One attempt of a call of any kind, with its metrics."""
        config = func.get("config") or func
        if lambda_svc._function_config_scope_mismatch(config):
            return dict(
                self._execute(func, event)
            )  # ministack calls this again for the function's own account
        started = time.monotonic()
        result: dict[str, Any] = self._execute(func, event)
        _record(config, (time.monotonic() - started) * 1000, result)
        return result

    def execute_warm(self, func: Mapping[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        """One run of the function's code, in the form of ministack's own."""
        config = func.get("config") or func
        code = func.get("code_zip")
        if not code:
            return _failed(
                {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": "the function has no code"}, ()
            )
        call = Invocation(
            request_id=request_id,
            arn=str(config.get("FunctionArn", "")),
            event=event,
            timeout_seconds=float(config.get("Timeout", 3)),
            trace=lambda_svc._xray_trace_id_for_invocation(config),
        )
        with self.pool.process(config, code) as process:
            result = process.invoke(call)
        _last.peak_mib = result.peak_mib
        if result.error is not None:
            return _failed({**result.error, "requestId": request_id}, result.log)
        return {"body": result.value, "log": "\n".join(result.log)}


def _identity(config: Mapping[str, Any]) -> dict[str, str]:
    return permissions.credentials(str(config.get("Role", "")), str(config["FunctionName"]))


def _failed(error: Mapping[str, Any], log: tuple[str, ...]) -> dict[str, Any]:
    return {"body": dict(error), "error": True, "function_error": "Unhandled", "log": "\n".join(log)}


def _record(config: Mapping[str, Any], milliseconds: float, result: Mapping[str, Any]) -> None:
    """The metrics of one call, for the function and for the alias or version that was called
    (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).
    """
    name = str(config["FunctionName"])
    parts = str(config.get("FunctionArn", "")).split(":function:")[-1].split(":")
    sets = [{"FunctionName": name}]
    if len(parts) == 2:
        sets.append({"FunctionName": name, "Resource": f"{name}:{parts[1]}"})
    throttled = bool(result.get("throttle"))
    for dimensions in sets:
        if throttled:
            cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", dimensions)
            continue
        cloudwatch.record_metric("AWS/Lambda", "Invocations", 1, "Count", dimensions)
        cloudwatch.record_metric(
            "AWS/Lambda", "Errors", float(bool(result.get("error"))), "Count", dimensions
        )
        cloudwatch.record_metric("AWS/Lambda", "Throttles", 0, "Count", dimensions)
        cloudwatch.record_metric("AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions)

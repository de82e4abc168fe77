"""`as_engine_calls`: what a deployed state machine calls, named as the same machine calls it in our engine.

In the engine a function is called ``TaskRunner``, a job definition after its task; on AWS they are ARNs, and which
version was called does not matter to whoever follows a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepweave.deployed.names import function_name
from stepweave.embedded.calls import APPROVALS, BATCH, RENDEZVOUS, TASK_RUNNER
from stepweave.runtime.batch import INPUT_VARIABLE


def as_engine_calls(resource: str, arguments: Any, env: str) -> Any:
    """The arguments of a call of ``resource``, functions and job definitions named as the engine has them."""
    if not isinstance(arguments, dict):
        return arguments
    if resource.startswith("lambda:invoke"):
        return {**arguments, "FunctionName": _function(str(arguments.get("FunctionName", "")), env)}
    if resource == BATCH:
        return {**arguments, "JobDefinition": _job_of(arguments)}
    return arguments


def _job_of(arguments: Mapping[str, Any]) -> str:
    """The task whose job is submitted, as a part of keys: the key of the job's input tells; empty when it does not."""
    overrides = arguments.get("ContainerOverrides") or {}
    for each in overrides.get("Environment") or ():
        if each.get("Name") == INPUT_VARIABLE:
            parts = str(each.get("Value", "")).split("/")
            return parts[3] if len(parts) > 3 else ""  # runs/<dag>/<run>/<task>[/<i>/<j>…]/input.json
    return ""


def _function(name: str, env: str) -> str:
    """``arn:aws:lambda:<region>:<account>:function:<name>:<version>`` as the engine calls it."""
    parts = name.split(":")
    plain = parts[6] if len(parts) > 6 else parts[0]
    if plain in (function_name(env, "rendezvous"), RENDEZVOUS):
        return RENDEZVOUS
    if plain in (function_name(env, "approvals"), APPROVALS):
        return APPROVALS
    return TASK_RUNNER

"""Machines that call AWS, and their runs under the virtual clock."""

from __future__ import annotations

from typing import Any

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.aws_sdk import aws_integrations
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.parsing import parse
from tests.engine.building import machine


def aws(resource: str, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    """A Task of the resource without the ARN's head."""
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", **fields}
    return task if arguments is None else {**task, "Arguments": arguments}


def ran(services: AwsServices, *tasks: dict[str, Any], value: Any = None) -> Execution:
    """The ended execution of a machine of these tasks in a row."""
    definition = machine(*((f"t{index}", task) for index, task in enumerate(tasks)))
    engine = Engine({"main": parse(definition, "main")}, aws_integrations(services), clock=VirtualClock())
    return engine.clock.run(engine.run("main", value, "run-1"))


def result_of(services: AwsServices, *tasks: dict[str, Any], value: Any = None) -> Any:
    """The output of the same, which must succeed."""
    execution = ran(services, *tasks, value=value)
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    return execution.output

"""`machine_needs`: what the role of a state machine must be allowed, read off its definition.

Each state is looked at by itself; an integration that is not known here is refused, so that a new one cannot be
deployed with a role that does not fit it.

A run goes on calling the versions with which it began, also after a deployment that gave its tasks other sizes, and
with them other functions and job definitions. So a role names all that are the DAG's, and no other DAG's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.arns import Arns
from infra.dags.targets import Target
from infra.needs import ANY, Need
from stepweave.asl import states
from stepweave.asl.measure import every_state

EVENTS_OF_JOBS = "StepFunctionsGetEventsForBatchJobsRule"
EVENTS_OF_EXECUTIONS = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""Rules by which Step Functions learns that what it waits for has ended
(https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html#batch-iam)."""

_EVENT_ACTIONS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
_LOG_ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
"""They know no resources: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy"""
_TRACE_ACTIONS = (
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
)
"""They know no resources: https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html"""

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_]+)\}\Z")
_INVOKE = frozenset({states.INVOKE, states.INVOKE_AND_WAIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A state machine of a DAG, as its role is concerned."""

    dag: str
    name: str
    """Empty for the one that a run starts."""
    definition: Mapping[str, Any]


def machine_needs(
    machine: Machine, targets: Mapping[str, Target], arns: Arns, *, tracing: bool
) -> tuple[Need, ...]:
    """What the role of ``machine`` must be allowed."""
    found = [
        need
        for name, state in every_state(machine.definition)
        for need in _state_needs(machine, state, f"state {name!r}", targets, arns)
    ]
    found += [Need(action=action, resource=ANY, by="logging") for action in _LOG_ACTIONS]
    if tracing:
        found += [Need(action=action, resource=ANY, by="tracing") for action in _TRACE_ACTIONS]
    return tuple(dict.fromkeys(found))


def _state_needs(
    machine: Machine, state: Mapping[str, Any], by: str, targets: Mapping[str, Target], arns: Arns
) -> Iterator[Need]:
    if state["Type"] == "Map":
        yield from _map_needs(machine, state, by, arns)
        return
    if state["Type"] != "Task":
        return
    resource, arguments = state["Resource"], state["Arguments"]
    if resource in _INVOKE:
        called = _target(arguments["FunctionName"], targets, by)
        yield Need(action="lambda:InvokeFunction", resource=_function(machine.dag, called, arns), by=by)
    elif resource == states.SUBMIT_JOB:
        _target(arguments["JobDefinition"], targets, by)
        queue = _target(arguments["JobQueue"], targets, by)
        yield from _job_needs(arns.job_definitions(machine.dag), arns.queue(queue.name), by, arns)
    elif resource == states.START_EXECUTION:
        started = _target(arguments["StateMachineArn"], targets, by)
        yield from _execution_needs(machine.dag, started, by, arns)
    else:
        raise ValueError(
            f"{by} of DAG {machine.dag!r} calls {resource!r}, for which no permissions are known"
        )


def _target(value: str, targets: Mapping[str, Target], by: str) -> Target:
    found = _PLACEHOLDER.match(value)
    if found is None:
        raise ValueError(f"{by} names {value!r}; expected a placeholder such as ${{TaskRunner}}")
    return targets[found[1]]


def _function(dag: str, called: Target, arns: Arns) -> str:
    if called.kind == "platform":
        return arns.function(called.name)
    return arns.runners(dag)


def _job_needs(definitions: str, queue: str, by: str, arns: Arns) -> Iterator[Need]:
    yield Need(action="batch:SubmitJob", resource=definitions, by=by)
    yield Need(action="batch:SubmitJob", resource=queue, by=by)
    # It knows no resources:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbatch.html
    yield Need(action="batch:DescribeJobs", resource=ANY, by=by)
    # A state that times out, or is stopped, ends its job.
    yield Need(action="batch:TerminateJob", resource=arns.jobs(), by=by)
    rule = arns.managed_rule(EVENTS_OF_JOBS)
    yield from (Need(action=action, resource=rule, by=by) for action in _EVENT_ACTIONS)


def _execution_needs(dag: str, started: Target, by: str, arns: Arns) -> Iterator[Need]:
    where = (started.name, "") if started.kind == "dag" else (dag, started.name)
    yield Need(action="states:StartExecution", resource=arns.machine(*where), by=by)
    for action in ("states:DescribeExecution", "states:StopExecution"):
        yield Need(action=action, resource=arns.executions(*where), by=by)
    rule = arns.managed_rule(EVENTS_OF_EXECUTIONS)
    yield from (Need(action=action, resource=rule, by=by) for action in _EVENT_ACTIONS)


def _map_needs(machine: Machine, state: Mapping[str, Any], by: str, arns: Arns) -> Iterator[Need]:
    """A distributed map starts executions of its own machine, watches them, and redrives them when it is redriven.

    AWS's page names the machine's own executions for watching, while those of a map carry its label
    (https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html): both are allowed.
    """
    if state["ItemProcessor"].get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
        return
    for field in ("ItemReader", "ResultWriter"):
        if field in state:
            raise ValueError(
                f"{by} of DAG {machine.dag!r} has an {field}, for which no permissions are known"
            )
    where = (machine.dag, machine.name)
    yield Need(action="states:StartExecution", resource=arns.machine(*where), by=by)
    for action in ("states:DescribeExecution", "states:StopExecution"):
        yield Need(action=action, resource=arns.executions(*where), by=by)
        yield Need(action=action, resource=arns.map_executions(*where), by=by)
    yield Need(action="states:RedriveExecution", resource=arns.map_executions(*where), by=by)

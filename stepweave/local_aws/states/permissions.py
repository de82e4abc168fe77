"""`Permitted`: calls that the role of their state machine allows; the others fail as on AWS.

Looked at are functions, jobs and nested executions, with what Step Functions needs to wait for them and to stop them:
https://docs.aws.amazon.com/step-functions/latest/dg/concept-create-iam-advanced.html. Other services are called by
whoever runs the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration
from stepweave.engine.machine import Task
from stepweave.engine.place import Place
from stepweave.errors import Problem

Allowed: TypeAlias = Callable[[str, str, str], bool]
"""Whether the role of an ARN allows an action on a resource."""

_ERRORS = {
    "lambda": "Lambda.AWSLambdaException",
    "batch": "Batch.AccessDeniedException",
    "states": "StepFunctions.AccessDeniedException",
}
_JOBS_RULE = "StepFunctionsGetEventsForBatchJobsRule"
_EXECUTIONS_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
_RULE_ACTIONS = ("PutTargets", "PutRule", "DescribeRule")


@dataclass(frozen=True, slots=True)
class Need:
    """An action that has to be allowed."""

    action: str
    resource: str


def needs_of(resource: str, target: str, arguments: Any, place: Place) -> Iterator[Need]:
    """What a call needs, of those calls that are looked at."""
    given = arguments if isinstance(arguments, dict) else {}
    service, _, action = resource.removesuffix(TOKEN_SUFFIX).partition(":")
    waits = action.endswith((".sync", ".sync:2"))
    match service, action.partition(".")[0]:
        case "lambda", "invoke" | "function":
            name = str(target or given.get("FunctionName"))
            qualifier = given.get("Qualifier") if not target else None
            yield Need("lambda:InvokeFunction", _arn(place, "lambda", f"function:{name}", name, qualifier))
        case "batch", "submitJob":
            yield from _job_needs(given, place, waits=waits)
        case "states", "startExecution":
            yield from _execution_needs(str(given.get("StateMachineArn")), place, waits=waits)


def _job_needs(given: dict[str, Any], place: Place, *, waits: bool) -> Iterator[Need]:
    for field, kind in (("JobQueue", "job-queue"), ("JobDefinition", "job-definition")):
        name = str(given.get(field))
        yield Need("batch:SubmitJob", _arn(place, "batch", f"{kind}/{name}", name))
    if waits:
        yield Need("batch:DescribeJobs", "*")
        yield Need("batch:TerminateJob", _arn(place, "batch", "job/any"))
        yield from _rule_needs(place, _JOBS_RULE)


def _execution_needs(machine: str, place: Place, *, waits: bool) -> Iterator[Need]:
    # Versions and aliases are told apart by a condition, not by the resource.
    unqualified = ":".join(machine.split(":")[:7])
    yield Need("states:StartExecution", unqualified)
    if waits:
        name = unqualified.rpartition(":")[2]
        for action in ("DescribeExecution", "StopExecution"):
            yield Need(f"states:{action}", place.execution_arn(name, "any"))
        yield from _rule_needs(place, _EXECUTIONS_RULE)


def _rule_needs(place: Place, rule: str) -> Iterator[Need]:
    for action in _RULE_ACTIONS:
        yield Need(f"events:{action}", _arn(place, "events", f"rule/{rule}"))


def _arn(place: Place, service: str, resource: str, given: str = "", qualifier: Any = None) -> str:
    """``given`` if it is an ARN, else that of ``resource``."""
    arn = (
        given if given.startswith("arn:") else f"arn:aws:{service}:{place.region}:{place.account}:{resource}"
    )
    return f"{arn}:{qualifier}" if qualifier else arn


class Permitted(Integration):
    """An integration whose calls are made if they are allowed."""

    def __init__(self, inner: Integration, allowed: Allowed) -> None:
        self._inner = inner
        self._allowed = allowed

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        return self._inner.check(task, machines)

    def keeps_time(self, resource: str) -> bool:
        return self._inner.keeps_time(resource)

    async def run(self, call: Call) -> Any:
        place = call.execution.place
        for need in needs_of(call.resource, call.target, call.arguments, place):
            if not self._allowed(place.role_arn, need.action, need.resource):
                raise _denied(call, need)
        return await self._inner.run(call)


def _denied(call: Call, need: Need) -> StateError:
    place = call.execution.place
    role = place.role_arn.rpartition("/")[2]
    cause = (
        f"User: arn:aws:sts::{place.account}:assumed-role/{role}/{call.execution.name} is not authorized to perform: "
        f"{need.action} on resource: {need.resource} because no identity-based policy allows the {need.action} action "
        "(Status Code: 403; Error Code: AccessDeniedException)"
    )
    return StateError(_ERRORS[call.resource.partition(":")[0]], cause)

"""What a Task's ``Resource`` names, and which forms of it exist.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html and the page of each service beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

ACTIVITY = "activity"
FUNCTION = "lambda:function"

_PLACEHOLDER = re.compile(r"\$\{[A-Za-z0-9_]+\}")
_SDK_CALL = re.compile(r"aws-sdk:[A-Za-z0-9-]+:([A-Za-z][A-Za-z0-9]*)")
_PATTERNS = (".sync:2", ".sync", ".waitForTaskToken")
_JOB, _TOKEN = frozenset({".sync"}), frozenset({".waitForTaskToken"})
_NONE: frozenset[str] = frozenset()


class Resource(NamedTuple):
    """The parts of a ``Resource``."""

    request: str
    """What is called, without the ARN's head: ``batch:submitJob``; ``activity`` and ``lambda:function`` for the ARNs of
    those; the text itself where a placeholder hides what it is."""
    pattern: str = ""
    """``.sync``, ``.sync:2``, ``.waitForTaskToken``, or nothing for a request and its response."""
    target: str = ""
    """The ARN of the activity or the function; empty otherwise."""

    @property
    def call(self) -> str:
        """The request with its pattern: ``batch:submitJob.sync``."""
        return self.request + self.pattern


@lru_cache(maxsize=4_096)
def resource_of(text: str) -> Resource | None:
    """What ``text`` names; None when it is no resource.

    >>> resource_of("arn:aws:states:::batch:submitJob.sync")
    Resource(request='batch:submitJob', pattern='.sync', target='')
    >>> resource_of("arn:aws:lambda:eu-west-1:123456789012:function:f").call
    'lambda:function'
    """
    parts = text.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn" and parts[1]:
        service, rest = parts[2], parts[5]
        if service == "lambda":
            return Resource(FUNCTION, target=text) if len(rest) > 9 and rest.startswith("function:") else None
        if service == "states" and rest.startswith("activity:"):
            return Resource(ACTIVITY, target=text) if len(rest) > 9 else None
        head, _, action = rest.partition(":")
        if service == "states" and head and action:
            pattern = next((pattern for pattern in _PATTERNS if rest.endswith(pattern)), "")
            return Resource(rest.removesuffix(pattern), pattern)
    return Resource(text) if _PLACEHOLDER.search(text) else None


class _Service(NamedTuple):
    """An optimized integration: the patterns of its actions."""

    actions: Mapping[str, frozenset[str]]


def _service(plain: str = "", jobs: str = "", patterns: frozenset[str] = _NONE) -> _Service:
    """A service whose actions all take ``patterns``; those in ``jobs`` can be waited for, too."""
    actions = dict.fromkeys(plain.split(), patterns)
    return _Service(actions | dict.fromkeys(jobs.split(), patterns | _JOB))


_SERVICES: dict[str, _Service] = {
    "apigateway": _service("invoke", patterns=_TOKEN),
    "athena": _service("stopQueryExecution getQueryExecution getQueryResults", "startQueryExecution"),
    "batch": _service("", "submitJob"),
    "bedrock": _service("invokeModel", "createModelCustomizationJob", _TOKEN),
    "codebuild": _service(
        "stopBuild batchDeleteBuilds batchGetReports stopBuildBatch deleteBuildBatch",
        "startBuild startBuildBatch retryBuildBatch",
    ),
    "databrew": _service("", "startJobRun"),
    "dynamodb": _service("getItem putItem updateItem deleteItem"),
    "ecs": _service("", "runTask", _TOKEN),
    "eks": _service(
        "call",
        "createCluster deleteCluster createNodegroup deleteNodegroup createFargateProfile deleteFargateProfile runJob",
        _TOKEN,
    ),
    "elasticmapreduce": _service(
        "setClusterTerminationProtection cancelStep modifyInstanceFleetByName modifyInstanceGroupByName",
        "createCluster terminateCluster addStep",
    ),
    "emr-containers": _service("createVirtualCluster", "deleteVirtualCluster startJobRun"),
    "emr-serverless": _service(
        "", "createApplication startApplication stopApplication deleteApplication startJobRun cancelJobRun"
    ),
    "events": _service("putEvents", patterns=_TOKEN),
    "glue": _service("", "startJobRun"),
    "http": _service("invoke"),
    "lambda": _service("invoke", patterns=_TOKEN),
    "mediaconvert": _service("", "createJob"),
    "sagemaker": _service(
        "createEndpoint createEndpointConfig createModel updateEndpoint",
        "createHyperParameterTuningJob createLabelingJob createProcessingJob createTrainingJob createTransformJob",
    ),
    "sns": _service("publish", patterns=_TOKEN),
    "sqs": _service("sendMessage", patterns=_TOKEN),
    "states": _Service({"startExecution": _TOKEN | _JOB | {".sync:2"}}),
}  # fmt: skip

Finding = tuple[str, str, str | None, str | None]
"""Code, what, expected, fix."""


@lru_cache(maxsize=4_096)
def check_resource(text: str) -> tuple[Finding, ...]:
    """What is wrong with the ``Resource`` of a Task."""
    return tuple(_findings(text))


def _findings(text: str) -> Iterator[Finding]:
    resource = resource_of(text)
    if resource is None:
        expected = "an ARN (arn:aws:states:::lambda:invoke, …) or a substitution ${Name}"
        yield "resource", "Resource is no resource that a task can call", expected, None
    elif "${" in resource.request or resource.target:
        return
    elif resource.request.startswith("aws-sdk:"):
        yield from _check_sdk(resource)
    else:
        yield from _check_service(resource)


def _check_sdk(resource: Resource) -> Iterator[Finding]:
    call = _SDK_CALL.fullmatch(resource.request)
    if call is None:
        yield "resource", "Resource names no action of an AWS SDK", "aws-sdk:service:action", None
    elif not call[1][0].islower():
        fix = f"write {call[1][0].lower()}{call[1][1:]}"
        yield "resource", "Resource names an action in upper case", "camelCase, as in getObject", fix
    if resource.pattern.startswith(".sync"):
        yield _no_pattern(resource, ".waitForTaskToken, or none")


def _check_service(resource: Resource) -> Iterator[Finding]:
    head, _, action = resource.request.partition(":")
    service = _SERVICES.get(head)
    if service is None:
        what = f"{head} is no service with an integration of its own that is known here"
        yield (
            "unknown-integration",
            what,
            ", ".join(sorted(_SERVICES)),
            f"aws-sdk:{head}:{action} calls any service",
        )
        return
    patterns = service.actions.get(action)
    if patterns is None:
        expected = ", ".join(sorted(service.actions))
        yield "unknown-integration", f"{head} has no action {action} that is known here", expected, None
        patterns = frozenset().union(*service.actions.values())
    if resource.pattern and resource.pattern not in patterns:
        yield _no_pattern(resource, ", ".join(sorted(patterns)) + ", or none" if patterns else "none")


def _no_pattern(resource: Resource, expected: str) -> Finding:
    return "resource", f"{resource.request} has no {resource.pattern}", expected, None

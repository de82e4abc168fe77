"""What each function of the platform may do, as needs that tests can read.

Each is what the code of the function calls, on one thing of the environment; or, where the thing is a DAG's, on all of
the environment's, since DAGs come and go without the platform.
"""

from __future__ import annotations

from collections.abc import Iterator

from infra.arns import Arns
from infra.needs import ANY, Condition, Need, below_prefix, only_if
from stepweave.deployed import names

TRACE_ACTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
"""They know no resources: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"""


def rendezvous_needs(arns: Arns) -> Iterator[Need]:
    """Gates are items of the table; whoever completes one tells the state machine that waits."""
    yield from _items(arns, "GATE#*", "an arrival, or the token of a gate", "dynamodb:UpdateItem")
    yield from _tokens(arns, "states:SendTaskSuccess", "states:SendTaskFailure")


def approvals_needs(arns: Arns, *, link_secret: str) -> Iterator[Need]:
    """Questions and decisions are objects of the run; ``link_secret`` is an ARN, empty without links."""
    runs = f"{arns.bucket()}/runs/*"
    yield Need(action="s3:GetObject", resource=runs, by="a question is made of what tasks have returned")
    yield _listing(arns, "runs/*")
    for name in ("approval.json", "decision.json", "result.json", "output*"):
        yield Need(action="s3:PutObject", resource=f"{runs}/{name}", by="question, decision and result")
    for name in ("decision.json", "result.json"):
        yield Need(action="s3:DeleteObject", resource=f"{runs}/{name}", by="a resumed run asks anew")
    # A rejection is a success of the state, too: the machine decides what it means.
    yield from _tokens(arns, "states:SendTaskSuccess")
    yield Need(action="sns:Publish", resource=arns.topic("ask"), by="people are asked")
    yield from _items(arns, "DAG#*", "who started a run does not approve it", "dynamodb:GetItem")
    if link_secret:
        yield Need(action="secretsmanager:GetSecretValue", resource=link_secret, by="links are signed")
        yield from _items(arns, "LINK#*", "a link is used once", *_READ_AND_WRITE)


def recorder_needs(arns: Arns) -> Iterator[Need]:
    """Records, markers, slots, notices; what was missed is asked of Step Functions."""
    yield from _items(arns, "DAG#*", "records, slots and the queue", *_READ_AND_WRITE, *_OF_MANY)
    mark = f"{arns.bucket()}/status/*"
    yield Need(action="s3:PutObject", resource=mark, by="the mark by which other DAGs wait for a run")
    path = names.dags_path(arns.env).rstrip("/")
    for parameters in (path, f"{path}/*"):  # the path, and what is on it
        yield Need(
            action="ssm:GetParametersByPath",
            resource=_arn(arns, "ssm", f"parameter{parameters}"),
            by="which DAG a state machine is of",
        )
    for action, by in (
        ("states:ListExecutions", "executions without a record"),
        ("states:StartExecution", "the clean-up after a run that broke off"),
    ):
        yield Need(action=action, resource=of_dags(arns, "states", "stateMachine:"), by=by)
    yield Need(
        action="states:DescribeExecution",
        resource=of_dags(arns, "states", "execution:"),
        by="how an execution ended that nothing was heard of",
    )
    yield Need(
        action="lambda:InvokeFunction",
        resource=of_dags(arns, "lambda", "function:", f"*:{names.LIVE}"),
        by="the starter of a DAG starts the run that waits longest",
    )
    yield Need(action="sns:Publish", resource=arns.topic("warn"), by="people are told of a failed run")
    yield Need(action="events:PutEvents", resource=arns.bus(), by="whoever listens is told of every end")
    bus = _arn(arns, "events", f"event-bus/{names.bus_name(arns.env)}")
    yield Need(action="events:PutEvents", resource=bus, by="the end of each run is announced")
    yield from _old_versions_needs(arns)


def _old_versions_needs(arns: Arns) -> Iterator[Need]:
    """Versions are deleted, and nothing that has no version: functions and state machines themselves stay."""
    # It knows no resources.
    yield Need(action="lambda:ListFunctions", resource=ANY, by="functions with versions")
    for action in ("lambda:ListVersionsByFunction", "lambda:ListAliases"):
        yield Need(action=action, resource=of_dags(arns, "lambda", "function:"), by="which versions are old")
    by = "no run can need a version that was replaced long ago"
    yield Need(action="lambda:DeleteFunction", resource=of_dags(arns, "lambda", "function:", "*:*"), by=by)
    # For versions and aliases IAM is asked about the machine:
    # https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
    for action in (
        "states:ListStateMachineVersions",
        "states:DescribeStateMachineAlias",
        "states:DescribeStateMachine",
        "states:DeleteStateMachineVersion",
    ):
        yield Need(action=action, resource=of_dags(arns, "states", "stateMachine:"), by=by)


def notifier_needs(*, secret: str) -> Iterator[Need]:
    """Webhook and key are in the secret, by its ARN."""
    yield Need(action="secretsmanager:GetSecretValue", resource=secret, by="where Slack and PagerDuty are")


def publishing_needs(key: str) -> Iterator[Need]:
    """Publishing to topics that are encrypted with the key of that ARN:
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        yield Need(action=action, resource=key, by="topics are encrypted")


def running_needs(arns: Arns, log_group: str, *, tracing: bool, dead_letters: bool) -> Iterator[Need]:
    """What a function needs whatever it does."""
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield Need(action=action, resource=arns.log_group(log_group), by="its log")
    if tracing:
        for action in TRACE_ACTIONS:
            yield Need(action=action, resource=ANY, by="tracing")
    if dead_letters:
        yield Need(action="sqs:SendMessage", resource=arns.dead_letters(), by="events tried in vain")


_READ_AND_WRITE = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
_OF_MANY = ("dynamodb:DeleteItem", "dynamodb:Query")


def _items(arns: Arns, keys: str, by: str, *actions: str) -> Iterator[Need]:
    """Items of the table by the beginning of their partition keys:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    condition: Condition = only_if("ForAllValues:StringLike", "dynamodb:LeadingKeys", keys)
    for action in actions:
        yield Need(action=action, resource=arns.table(), by=by, condition=condition)


def _listing(arns: Arns, prefix: str) -> Need:
    return Need(
        action="s3:ListBucket",
        resource=arns.bucket(),
        by="what is not there is told from what is forbidden",
        condition=below_prefix(prefix),
    )


def _tokens(arns: Arns, *actions: str) -> Iterator[Need]:
    for action in actions:
        yield Need(
            action=action, resource=of_dags(arns, "states", "stateMachine:"), by="the state that waits"
        )


def of_dags(arns: Arns, service: str, kind: str, end: str = "*") -> str:
    """All things of one kind of the environment's DAGs: names of environments hold no hyphen."""
    return _arn(arns, service, f"{kind}{names.PRODUCT}-{arns.env}-{end}")


def _arn(arns: Arns, service: str, resource: str) -> str:
    return f"arn:{arns.partition}:{service}:{arns.region}:{arns.account}:{resource}"

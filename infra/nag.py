"""What cdk-nag finds in the app, and why each finding is accepted.

    cdk synth -c nag=true      the packs AwsSolutions and Serverless; what is not accepted here ends the synthesis

A finding is accepted by rule, place and, for wildcards in policies, resource. An entry that accepts nothing any more is
reported as well, so that the list stays true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from stepweave.errors import Problem

REPORT = "validation-report.json"
"""File of the assembly with all findings."""

ANNOTATIONS = "Construct Annotations"
"""Under this name the report has what ``Annotations.of(…)`` says, beside what the packs find."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that one construct breaks."""

    rule: str
    """``AwsSolutions-IAM5``."""
    detail: str
    """What of the construct: ``Resource::arn:…``; empty for all of it."""
    path: str
    """Path of the construct, without the environment."""
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Findings that are meant to be so."""

    rules: str
    """Regular expression of the whole rule."""
    path: str
    """Regular expression of the whole path."""
    detail: str = ""
    """Regular expression of the whole detail."""
    because: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is one of these."""
        pairs = ((self.rules, finding.rule), (self.path, finding.path), (self.detail, finding.detail))
        return all(re.fullmatch(pattern, text) for pattern, text in pairs)


_ARN = r"Resource::arn:<AWS::Partition>"
_OF = r":(<AWS::Region>|[a-z0-9-]+):(<AWS::AccountId>|\d{12}):"
_BUCKET = _ARN + r":s3:::stepweave-[a-z0-9]+-(<AWS::AccountId>|\d{12})-(<AWS::Region>|[a-z0-9-]+)"
_SHARED_ROLE = r"platform/Functions/(Rendezvous|Approvals|Recorder|Notifier)Role"
_DAG_ROLE = r"[^/]+/(TaskRole|Jobs/JobRole)"

ACCEPTED = (
    Accepted(
        rules="AwsSolutions-S1",
        path="platform/Artifacts/Bucket/Resource",
        because="only roles of the environment reach the bucket, each within its prefixes; versions show what was "
        "changed, and CloudTrail's data events who did, where that is wanted",
    ),
    Accepted(
        rules="AwsSolutions-SQS3|Serverless-SQSRedrivePolicy",
        path="platform/Messages/DeadLetters/Resource",
        because="it is the dead-letter queue itself, with an alarm on it",
    ),
    Accepted(
        rules="AwsSolutions-IAM4",
        path="platform/Batch/Instances/Role/Resource",
        detail="Policy::.*AmazonEC2ContainerServiceforEC2Role",
        because="AWS keeps the policy of its own agent on ECS instances up to date; tasks have roles of their own",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=r".*",
        detail=_ARN + ":logs" + _OF + r"log-group:/stepweave/[^*]*:\*",
        because="the streams of one log group; Lambda and Batch name them",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=_SHARED_ROLE,
        detail=_ARN
        + ":(states|lambda)"
        + _OF
        + r"(stateMachine|execution|function):stepweave-[a-z0-9]+-\*(:live|:\*)?",
        because="machines and starters of this environment's DAGs, which come and go without the platform",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path="platform/Functions/ApprovalsRole",
        detail=_BUCKET + r"/runs/\*(/(approval\.json|decision\.json|result\.json|output\*))?",
        because="any task of any run may ask; it reads what the question is made of, and writes four kinds of objects",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path="platform/Functions/RecorderRole",
        detail=r"Resource::\*",
        because="lambda:ListFunctions knows no resources; it finds the functions whose old versions go",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path="platform/Functions/RecorderRole",
        detail=_BUCKET + r"/status/\*",
        because="one mark for each run of each DAG",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path="platform/Functions/RecorderRole",
        detail=_ARN + ":ssm" + _OF + r"parameter/stepweave/[a-z0-9]+/dags/\*",
        because="one parameter for each DAG says what is where",
    ),
    Accepted(
        rules="AwsSolutions-L1|Serverless-LambdaLatestVersion",
        path=r".*/Function",
        because="the version of Python is a setting: tasks need wheels for it, which come some months after it",
    ),
    Accepted(
        rules="Serverless-LambdaDLQ",
        path=r".*/Function",
        because="called synchronously, by state machines, links and people, who see the error; events that failed go "
        "to the dead letters by the alias' event configuration, those of rules and schedules by their targets",
    ),
    Accepted(
        rules="AwsSolutions-APIG4",
        path="platform/Functions/Links/(Get|Post)",
        because="who may decide says the link: signed, single-use, with an end; people in mail have no other key",
    ),
    Accepted(
        rules="AwsSolutions-SMG4",
        path="platform/Functions/(Link|Notify)Secret",
        because="a new key would make links invalid that people still have, so a person decides when; what Slack and "
        "PagerDuty give cannot be changed from here",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=_DAG_ROLE,
        detail=_BUCKET + r"/(runs|checkpoints|cache|assets|status|breakers)/.*",
        because="objects of the DAG's own runs, and those assets that its tasks name",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=_DAG_ROLE,
        detail=_ARN + r":s3:::.*\*",
        because="what starts the DAG is read by its tasks: the prefix of a trigger, or what permissions= names",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=r"[^/]+/Jobs/ExecutionRole",
        detail=_ARN + ":ecr" + _OF + r"repository/cdk-\*-container-assets-\*",
        because="the repository of CDK's bootstrap, whose name holds a qualifier of the account's choice",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=r"[^/]+/Jobs/ExecutionRole",
        detail=r"Resource::\*",
        because="ecr:GetAuthorizationToken knows no resource",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=r"[^/]+/Machines/[^/]+Role",
        detail=r"Resource::\*",
        because="the delivery of logs, traces, and batch:DescribeJobs know no resources",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=r"[^/]+/Machines/[^/]+Role",
        detail=_ARN + ":(lambda|batch)" + _OF + r"(function:|job-definition/)stepweave-[^*]*\*:\*",
        because="every version of the DAG's own functions and job definitions: a run goes on with those that it began "
        "with, also where a task was given another size meanwhile",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=r"[^/]+/Machines/[^/]+Role",
        detail=_ARN + ":batch" + _OF + r"job/\*",
        because="ids of jobs say nothing about who submitted them",
    ),
    Accepted(
        rules="AwsSolutions-IAM5",
        path=r"[^/]+/(Machines/[^/]+|Starting/)Role",
        detail=_ARN + ":states" + _OF + r"execution:stepweave-[^*]*[:/]\*",
        because="executions of one state machine",
    ),
    Accepted(
        rules="AwsSolutions-IAM5|Serverless-LambdaStarPermissions",
        path=rf"{_SHARED_ROLE}|{_DAG_ROLE}|[^/]+/Starting/Role",
        detail=r"(Resource::\*)?",
        because="writing traces knows no resource; a DAG's permissions= take none but with a reason",
    ),
    Accepted(
        rules="AwsSolutions-SF2|Serverless-StepFunctionStateMachineXray|Serverless-LambdaTracing",
        path=r".*",
        because="tracing is a setting, on in production",
    ),
)
"""Every finding that is accepted, and why."""


def synthesize(app: App) -> tuple[Finding, ...]:
    """What the packs find in ``app``, which is synthesized."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    try:
        app.synth()
    except RuntimeError as error:  # raised for every finding, as it knows nothing of what is accepted
        if "ValidationFailed" not in str(error):
            raise
    return findings(Path(app.outdir))


def findings(assembly: Path) -> tuple[Finding, ...]:
    """What was found in the app that was synthesized to ``assembly``; warnings of our own are told, and no findings."""
    report = json.loads((assembly / REPORT).read_text(encoding="utf-8"))
    return tuple(
        _finding(violation, place["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        if not (plugin["pluginName"] == ANNOTATIONS and violation["severity"] == "warning")
        for place in violation["violatingConstructs"]
    )


def not_accepted(found: Iterable[Finding], accepted: Sequence[Accepted] = ACCEPTED) -> tuple[Problem, ...]:
    """A problem for each finding that nobody has explained."""
    return tuple(
        Problem(
            what=f"{one.path} breaks {one.rule}: {one.says}",
            code="nag",
            got=one.detail or None,
            fix="mend it, or say in infra/nag.py why it is meant",
        )
        for one in found
        if not any(entry.covers(one) for entry in accepted)
    )


def unused(found: Sequence[Finding], accepted: Sequence[Accepted] = ACCEPTED) -> tuple[Accepted, ...]:
    """Entries that accept nothing."""
    return tuple(entry for entry in accepted if not any(entry.covers(one) for one in found))


def _finding(violation: dict[str, str], path: str) -> Finding:
    rule, _, detail = violation["ruleName"].partition("[")
    return Finding(
        rule=rule,
        detail=detail.removesuffix("]"),
        path=path.partition("/")[2],
        says=violation["description"],
    )

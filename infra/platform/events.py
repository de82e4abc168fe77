"""`Events`: what the platform listens to.

status of an execution of this environment ──▶ recorder
every hour                                 ──▶ recorder {"reconcile": true}: status events are best effort
a job queue is blocked                     ──▶ topic warn
"""

from __future__ import annotations

import json

from aws_cdk import aws_events, aws_lambda
from constructs import Construct

from infra.arns import Arns
from infra.platform.permissions import of_dags
from stepweave.deployed import names

RETRIES = 20
"""Deliveries of an event that are tried again, within :data:`LONGEST_SECONDS`."""
LONGEST_SECONDS = 6 * 3600

BLOCKED = {"queue": "$.detail.jobQueue", "job": "$.detail.jobName", "reason": "$.detail.statusReason"}
"""What people are told when a job that cannot run keeps a queue from going on: field → where the event has it."""


class Events(Construct):
    """Rules of the default bus, where AWS puts its events."""

    def __init__(self, scope: Construct, id: str, *, arns: Arns, recorder_arn: str) -> None:
        super().__init__(scope, id)
        self._arns = arns
        self._recorder_arn = recorder_arn
        self._recorded(
            "Executions",
            "executions",
            description="How executions of this environment go",
            pattern={
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    "stateMachineArn": [{"prefix": of_dags(arns, "states", "stateMachine:", "")}],
                    # Not those that a distributed map starts, `execution:<machine>/<label>:<id>`: one for each item.
                    "executionArn": [{"anything-but": {"wildcard": "*/*"}}],
                },
            },
        )
        self._recorded(
            "Reconcile",
            "reconcile",
            description="What was missed",
            schedule="rate(1 hour)",
            given=json.dumps({"reconcile": True}),
        )
        self._blocked()

    def _recorded(
        self,
        id: str,
        name: str,
        *,
        description: str,
        pattern: object = None,
        schedule: str | None = None,
        given: str | None = None,
    ) -> None:
        """A rule whose events the recorder gets; what it cannot be given goes to the dead letters."""
        rule = aws_events.CfnRule(
            self,
            id,
            name=f"{names.PRODUCT}-{self._arns.env}-{name}",
            description=description,
            event_pattern=pattern,
            schedule_expression=schedule,
            targets=[
                aws_events.CfnRule.TargetProperty(
                    id="recorder",
                    arn=self._recorder_arn,
                    input=given,
                    retry_policy=aws_events.CfnRule.RetryPolicyProperty(
                        maximum_retry_attempts=RETRIES, maximum_event_age_in_seconds=LONGEST_SECONDS
                    ),
                    dead_letter_config=aws_events.CfnRule.DeadLetterConfigProperty(
                        arn=self._arns.dead_letters()
                    ),
                )
            ],
        )
        aws_lambda.CfnPermission(
            self,
            f"{id}Permission",
            action="lambda:InvokeFunction",
            principal="events.amazonaws.com",
            function_name=self._recorder_arn,
            source_arn=rule.attr_arn,
        )

    def _blocked(self) -> None:
        """Batch says so when the job at the head of a queue cannot run:
        https://docs.aws.amazon.com/batch/latest/userguide/batch-job-queue-blocked-events.html
        """
        queues = self._arns.queue("")
        aws_events.CfnRule(
            self,
            "Blocked",
            name=f"{names.PRODUCT}-{self._arns.env}-queue-blocked",
            description="A job that cannot run keeps others waiting",
            event_pattern={
                "source": ["aws.batch"],
                "detail-type": ["Batch Job Queue Blocked"],
                "detail": {"jobQueue": [{"prefix": queues}]},
            },
            targets=[
                aws_events.CfnRule.TargetProperty(
                    id="warn",
                    arn=self._arns.topic("warn"),
                    input_transformer=aws_events.CfnRule.InputTransformerProperty(
                        input_paths_map=BLOCKED, input_template=_template(self._arns.env)
                    ),
                    dead_letter_config=aws_events.CfnRule.DeadLetterConfigProperty(
                        arn=self._arns.dead_letters()
                    ),
                )
            ],
        )


def _template(env: str) -> str:
    """The message of a blocked queue. EventBridge puts quotes around what it fills in, and takes none of ours:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    known = {"stepweave": "queue-blocked", "env": env, "runbook": "docs/operating.md#queue-blocked"}
    filled = ", ".join(f'"{name}": <{name}>' for name in BLOCKED)
    return f"{json.dumps(known)[:-1]}, {filled}}}"

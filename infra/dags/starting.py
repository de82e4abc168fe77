"""`Starting`: what starts a DAG: its starter function, its schedule, and the rules behind its triggers.

Everything goes through the starter, which names executions so that the same event starts no second run.
"""

from __future__ import annotations

import json

from aws_cdk import CfnResource, aws_events, aws_lambda, aws_scheduler
from constructs import Construct

from infra.arns import Arns
from infra.code import Code
from infra.dags.cron import schedule_expression
from infra.dags.triggers import Trigger, pattern
from infra.functions import DeployedFunction, FunctionSpec, environment
from infra.needs import ANY, Need, only_if
from infra.roles import of_account, service_role
from infra.settings import Settings
from stepweave.deployed import names
from stepweave.graph.model import DagInfo

PART = "starter"
MEMORY_MIB = 512
TIMEOUT_SECONDS = 60
RETRIES = 3
LONGEST_SECONDS = 3_600
"""An event that nobody took for an hour goes to the dead letters: a run that late would surprise."""
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


class Starting(Construct):
    """The starter of a DAG and what calls it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dag: DagInfo,
        triggers: tuple[Trigger, ...],
        code_version: str,
        log: str,
        log_group: str,
        after: CfnResource,
        code: Code,
        settings: Settings,
        arns: Arns,
    ) -> None:
        """``log`` is the name of the log group, ``log_group`` the reference to it; nothing starts before ``after``."""
        super().__init__(scope, id)
        self._dag, self._arns, self._settings, self._after = dag, arns, settings, after
        self.starter = self._starter(dag_json(dag, code_version), log, log_group, code)
        self._arn = arns.function(PART, dag.id)
        self.schedule = self._schedule(dag.schedule) if dag.schedule else None
        self.rules = tuple(self._rule(trigger) for trigger in triggers)

    def _starter(self, dag_file: str, log: str, log_group: str, code: Code) -> DeployedFunction:
        dag, arns, settings = self._dag, self._arns, self._settings
        role = service_role(
            self,
            "Role",
            service="lambda.amazonaws.com",
            needs=starter_needs(dag.id, log, arns, tracing=settings.tracing),
            description=f"Starts runs of {dag.id}",
        )
        spec = FunctionSpec(
            name=names.function_name(settings.env, PART, dag.id),
            description=f"Starts runs of {dag.id}, each once",
            handler="functions.starter.handler.handler",
            code=code.starter(dag_file),
            memory_mib=MEMORY_MIB,
            timeout_seconds=TIMEOUT_SECONDS,
            environment={
                **environment(settings, f"s3://{arns.bucket_name()}", names.table_name(settings.env), PART),
                "STEPWEAVE_MACHINE": arns.live_machine(dag.id),
                "STEPWEAVE_DAG": dag.id,
                "STEPWEAVE_RECORDS_DAYS": str(settings.retention.records_days),
            },
            log_group=log_group,
        )
        return DeployedFunction(
            self, "Function", spec=spec, role_arn=role.attr_arn, settings=settings, alias=True
        )

    def _schedule(self, schedule: str) -> aws_scheduler.CfnSchedule:
        said = schedule_expression(schedule)
        created = aws_scheduler.CfnSchedule(
            self,
            "Schedule",
            name=names.schedule_name(self._settings.env, self._dag.id),
            description=f"Runs of {self._dag.id}",
            schedule_expression=said.expression,
            schedule_expression_timezone=said.timezone,
            state="ENABLED" if self._settings.schedules else "DISABLED",
            flexible_time_window=aws_scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=aws_scheduler.CfnSchedule.TargetProperty(
                arn=self._arn,
                role_arn=self._schedule_role(),
                input=json.dumps(
                    {"source": "schedule", "scheduled_time": SCHEDULED_TIME, "schedule": schedule}
                ),
                retry_policy=aws_scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=RETRIES, maximum_event_age_in_seconds=LONGEST_SECONDS
                ),
                dead_letter_config=aws_scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self._arns.dead_letters()
                ),
            ),
        )
        created.add_resource_dependency(self._alias)
        created.add_resource_dependency(self._after)
        return created

    def _schedule_role(self) -> str:
        by = f"schedule of {self._dag.id}"
        role = service_role(
            self,
            "ScheduleRole",
            service="scheduler.amazonaws.com",
            needs=(
                Need(action="lambda:InvokeFunction", resource=self._arn, by=by),
                Need(action="sqs:SendMessage", resource=self._arns.dead_letters(), by=by),
            ),
            only=of_account(self._arns.account, self._arns.schedule_group()),
            description=f"Calls the starter of {self._dag.id} by the clock",
        )
        return role.attr_arn

    def _rule(self, trigger: Trigger) -> aws_events.CfnRule:
        name = names.rule_name(self._settings.env, self._dag.id, trigger.number)
        template = f'{{"source":"s3","trigger":{trigger.number},"event":<aws.events.event.json>}}'
        target = aws_events.CfnRule.TargetProperty(
            id="starter",
            arn=self._arn,
            input_transformer=aws_events.CfnRule.InputTransformerProperty(input_template=template),
            retry_policy=aws_events.CfnRule.RetryPolicyProperty(
                maximum_retry_attempts=RETRIES, maximum_event_age_in_seconds=LONGEST_SECONDS
            ),
            dead_letter_config=aws_events.CfnRule.DeadLetterConfigProperty(arn=self._arns.dead_letters()),
        )
        rule = aws_events.CfnRule(
            self,
            f"Trigger{trigger.number}",
            name=name,
            description=f"Runs of {self._dag.id} for objects in {trigger}",
            event_pattern=pattern(trigger, self._arns.bucket_name()),
            targets=[target],
        )
        rule.add_resource_dependency(self._alias)
        rule.add_resource_dependency(self._after)
        aws_lambda.CfnPermission(
            self,
            f"Trigger{trigger.number}Permission",
            action="lambda:InvokeFunction",
            principal="events.amazonaws.com",
            function_name=self._alias.ref,
            source_arn=self._arns.rule(self._dag.id, trigger.number),
        )
        return rule

    @property
    def _alias(self) -> aws_lambda.CfnAlias:
        assert self.starter.alias is not None
        return self.starter.alias


def starter_needs(dag: str, log_group: str, arns: Arns, *, tracing: bool) -> tuple[Need, ...]:
    """What the starter of a DAG must be allowed: to start it, to know what became of it, and the DAG's own records."""
    table = arns.table()
    own = only_if("ForAllValues:StringEquals", "dynamodb:LeadingKeys", f"DAG#{dag}")
    records = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")
    return (
        Need(action="states:StartExecution", resource=arns.machine(dag), by="starting runs"),
        Need(action="states:DescribeExecution", resource=arns.executions(dag), by="runs started before"),
        *(
            Need(action=f"dynamodb:{action}", resource=table, by="records of runs", condition=own)
            for action in records
        ),
        *function_needs(log_group, arns, tracing=tracing),
    )


def function_needs(log_group: str, arns: Arns, *, tracing: bool) -> tuple[Need, ...]:
    """What every function must be allowed: to write its log, and traces where they are on."""
    log = tuple(
        Need(action=action, resource=arns.log_group(log_group), by="logging")
        for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    )
    if not tracing:
        return log
    traces = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")  # they know no resources
    return (*log, *(Need(action=action, resource=ANY, by="tracing") for action in traces))


def dag_json(dag: DagInfo, code_version: str) -> str:
    """What the starter knows of its DAG."""
    params = [
        {
            "name": param.name,
            "schema": json.loads(param.schema_json),
            **({} if param.default_json is None else {"default": json.loads(param.default_json)}),
        }
        for param in dag.params
    ]
    found = {
        "dag": dag.id,
        "params": params,
        "triggers": [json.loads(trigger) for trigger in dag.triggers],
        **({} if dag.max_active_runs is None else {"max_active_runs": dag.max_active_runs}),
        "code_version": code_version,
    }
    return json.dumps(found, sort_keys=True, indent=1, ensure_ascii=False) + "\n"

"""`DagStack`: everything that one DAG needs in an environment, apart from the platform that all share.

    Starting ─▶ Machines (alias live) ─▶ functions, job definitions
       │            └▶ alarms, dashboard
    schedule, S3 rules

It refers to the platform by names alone (:mod:`stepweave.deployed.names`), so that both are deployed apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from aws_cdk import Environment, Stack, Tags, aws_cloudwatch, aws_logs, aws_ssm
from constructs import Construct

from infra.arns import Arns
from infra.code import Code
from infra.dags.alarms import Alarms
from infra.dags.asset_uses import asset_uses
from infra.dags.committed import committed_definitions
from infra.dags.dashboard import Shown, body
from infra.dags.jobs import Jobs
from infra.dags.machines import Machines
from infra.dags.nested import inner_dags
from infra.dags.starting import PART, Starting, function_needs
from infra.dags.targets import Target, every_task, targets
from infra.dags.task_needs import Tasks, task_needs
from infra.dags.triggers import triggers_of
from infra.functions import DeployedFunction, FunctionSpec, environment, task_metrics
from infra.needs import Need
from infra.removal import removal_policy
from infra.roles import service_role
from infra.settings import Settings
from infra.tags import tag_value
from stepweave.compiler import Compiled
from stepweave.deployed import names
from stepweave.deployed.environment import DeployedDag
from stepweave.graph.model import Task
from stepweave.planning.profiles import LambdaProfile

TASK_HANDLER = "functions.task_runner.handler.handler"


class DagStack(Stack):
    """The stack ``stepweave-<env>-<dag>``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        compiled: Compiled,
        settings: Settings,
        arns: Arns,
        code: Code,
    ) -> None:
        dag = compiled.graph.dag
        super().__init__(
            scope,
            id,
            stack_name=names.stack_name(settings.env, dag.id),
            description=f"stepweave {settings.env}: DAG {dag.id}",
            env=Environment(account=settings.account, region=settings.region),
        )
        self.compiled, self.settings, self.arns, self._code = compiled, settings, arns, code
        Tags.of(self).add(f"{names.PRODUCT}:dag", dag.id)
        if dag.owner:
            Tags.of(self).add("owner", tag_value(dag.owner))
        self._targets = targets(compiled)
        self._assets = asset_uses(code.user_files(compiled))
        self.runners = self._runners()
        self.jobs = self._jobs()
        self.machines = self._machines()
        self.alarms = Alarms(
            self,
            "Alarms",
            dag=dag,
            machine_arn=self.machines.root.ref,
            settings=settings,
            arns=self.arns,
        )
        self.live = self.machines.live(self.alarms.rollback_names)
        self.code_version = self._code_version()
        self.starting = self._starting()
        if settings.dashboards.per_dag:
            self._dashboard()
        self._describe()

    def _runners(self) -> dict[str, DeployedFunction]:
        """The task runners, by the part of their name."""
        dag = self.compiled.graph.dag.id
        log = names.task_log_group(self.settings.env, dag)
        group = self._log_group("TaskLog", log)
        role = service_role(
            self,
            "TaskRole",
            service="lambda.amazonaws.com",
            needs=(
                *self._task_needs(list(every_task(self.compiled))),
                *function_needs(log, self.arns, tracing=self.settings.tracing),
            ),
            description=f"Tasks of {dag} on Lambda",
        )
        return {
            target.name: DeployedFunction(
                self,
                f"Runner-{target.name}",
                spec=self._runner(target.name, target.profile, group.ref),
                role_arn=role.attr_arn,
                settings=self.settings,
                alias=False,
            )
            for target in self._of_kind("runner").values()
            if target.profile is not None
        }

    def _runner(self, part: str, profile: LambdaProfile, log_group: str) -> FunctionSpec:
        """What the task runner of a profile is made of."""
        dag, settings = self.compiled.graph.dag.id, self.settings
        store, table = f"s3://{self.arns.bucket_name()}", names.table_name(settings.env)
        return FunctionSpec(
            name=names.function_name(settings.env, part, dag),
            description=f"Tasks of {dag}: {profile.memory_mib} MiB, {profile.timeout_seconds} s",
            handler=TASK_HANDLER,
            code=self._code.runner(self.compiled, profile),
            memory_mib=profile.memory_mib,
            timeout_seconds=profile.timeout_seconds,
            ephemeral_mib=profile.ephemeral_mib,
            environment={
                **environment(settings, store, table, "task_runner"),
                **task_metrics(settings),
            },
            log_group=log_group,
        )

    def _jobs(self) -> Jobs | None:
        """The job definitions; None when no task runs on Batch."""
        specs = {
            target.name: target.job for target in self._of_kind("job").values() if target.job is not None
        }
        if not specs:
            return None
        on_batch = [
            task
            for task in every_task(self.compiled)
            if self.compiled.placements[task.id].is_job or task.ladder
        ]
        log = names.job_log_group(self.settings.env, self.compiled.graph.dag.id)
        group = self._log_group("JobLog", log)
        return Jobs(
            self,
            "Jobs",
            compiled=self.compiled,
            specs=specs,
            needs=self._task_needs(on_batch),
            log=log,
            log_group=group.ref,
            code=self._code,
            settings=self.settings,
            arns=self.arns,
        )

    def _task_needs(self, tasks: list[Task]) -> tuple[Need, ...]:
        dag = self.compiled.graph.dag
        who = Tasks(
            dag=dag.id,
            tasks=tasks,
            assets=self._assets,
            inner_dags=inner_dags(self.compiled.graph),
            triggers=triggers_of(dag),
            permissions=dag.permissions,
        )
        return task_needs(who, self.arns)

    def _machines(self) -> Machines:
        dag = self.compiled.graph.dag.id
        return Machines(
            self,
            "Machines",
            compiled=self.compiled,
            definitions=committed_definitions(self.compiled),
            targets=self._targets,
            values={
                name: self._value(target) for name, target in self._targets.items() if target.kind != "part"
            },
            log_group_arn=self._log_group(
                "MachineLog", names.machine_log_group(self.settings.env, dag)
            ).attr_arn,
            settings=self.settings,
            arns=self.arns,
        )

    def _value(self, target: Target) -> str:
        """What a placeholder is replaced by."""
        match target.kind:
            case "runner":
                return self.runners[target.name].version_arn
            case "platform":
                return self.arns.function(target.name)
            case "job":
                assert self.jobs is not None
                return self.jobs.definitions[target.name].attr_job_definition_arn
            case "queue":
                return self.arns.queue(target.name)
            case "dag":
                return self.arns.live_machine(target.name)
            case "part":
                raise ValueError(f"the version of machine {target.name!r} is known once it is made")

    def _starting(self) -> Starting:
        dag = self.compiled.graph.dag
        log = names.function_log_group(self.settings.env, f"{dag.id}/{PART}")
        return Starting(
            self,
            "Starting",
            dag=dag,
            triggers=triggers_of(dag),
            code_version=self.code_version,
            log=log,
            log_group=self._log_group("StarterLog", log).ref,
            after=self.live,
            code=self._code,
            settings=self.settings,
            arns=self.arns,
        )

    def _code_version(self) -> str:
        """Digest of everything that runs."""
        parts = [
            *(hashlib.sha256(content).hexdigest() for content in self.compiled.files.values()),
            *(runner.version.node.id for runner in self.runners.values()),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def _of_kind(self, kind: str) -> Mapping[str, Target]:
        return {name: target for name, target in self._targets.items() if target.kind == kind}

    def _log_group(self, id: str, name: str) -> aws_logs.CfnLogGroup:
        """A log group. What writes to it refers to it, so that it is made before."""
        group = aws_logs.CfnLogGroup(
            self, id, log_group_name=name, retention_in_days=self.settings.retention.logs_days
        )
        group.apply_removal_policy(removal_policy(self.settings))
        return group

    def _dashboard(self) -> None:
        dag = self.compiled.graph.dag
        shown = Shown(
            env=self.settings.env,
            dag=dag.id,
            doc=dag.doc,
            region=self.arns.region,
            machine_arn=self.arns.machine(dag.id),
            task_log_group=names.task_log_group(self.settings.env, dag.id),
            job_log_group=names.job_log_group(self.settings.env, dag.id) if self.jobs else "",
            has_schedule=dag.schedule is not None,
        )
        aws_cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=names.dashboard_name(self.settings.env, dag.id),
            dashboard_body=self.to_json_string(body(shown)),
        )

    def _describe(self) -> None:
        """Tell the command line and the recorder what is where."""
        dag = self.compiled.graph.dag
        described = DeployedDag(
            dag=dag.id,
            machine=self.arns.live_machine(dag.id),
            machines={name: self.arns.machine(dag.id, name) for name in self.machines.machines if name},
            starter=self.arns.function(PART, dag.id),
            task_log_group=names.task_log_group(self.settings.env, dag.id),
            job_log_group=names.job_log_group(self.settings.env, dag.id) if self.jobs else "",
            schedule=(dag.schedule or "") if self.settings.schedules else "",
            code_version=self.code_version,
        )
        parameter = aws_ssm.CfnParameter(
            self,
            "Description",
            type="String",
            tier="Intelligent-Tiering",  # 4 KB are free; a DAG of many machines may need more
            name=names.dag_parameter(self.settings.env, dag.id),
            description=f"stepweave {self.settings.env}: where the parts of {dag.id} are",
            value=described.to_json(),
        )
        parameter.add_resource_dependency(self.live)

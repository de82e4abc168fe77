"""`Machines`: the state machines of a DAG, their versions, and the alias through which runs are started.

A definition is uploaded as it is committed; what its placeholders mean is said beside it. Parts of a DAG are called by
their version, so that a run ends on the definitions with which it began.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path

from aws_cdk import RemovalPolicy, Stack, aws_stepfunctions
from constructs import Construct

from infra.arns import Arns
from infra.assets import file
from infra.dags import policies
from infra.dags.targets import Target, placeholders
from infra.roles import of_account, service_role
from infra.settings import Settings
from stepweave.compiler import Compiled
from stepweave.deployed import names

CfnStateMachine = aws_stepfunctions.CfnStateMachine


class Machines(Construct):
    """State machines by name; the one that a run starts has the name ``""``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        compiled: Compiled,
        definitions: Mapping[str, Path],
        targets: Mapping[str, Target],
        values: Mapping[str, str],
        log_group_arn: str,
        settings: Settings,
        arns: Arns,
    ) -> None:
        """``definitions``: the committed file of each machine. ``values``: by placeholder, parts excepted."""
        super().__init__(scope, id)
        self._compiled, self._settings, self._arns = compiled, settings, arns
        self._targets, self._log_group_arn = targets, log_group_arn
        self.machines: dict[str, CfnStateMachine] = {}
        self.versions: dict[str, aws_stepfunctions.CfnStateMachineVersion] = {}
        known = dict(values)
        parts = {name: found for name, found in targets.items() if found.kind == "part"}
        for machine in order(compiled, parts):
            self._add(machine, definitions[machine], known)
            known |= {
                name: self.versions[machine].ref for name, part in parts.items() if part.name == machine
            }

    @property
    def root(self) -> CfnStateMachine:
        """The machine that a run starts."""
        return self.machines[""]

    def live(self, alarms: list[str]) -> aws_stepfunctions.CfnStateMachineAlias:
        """The alias through which runs are started; a shift in steps is rolled back by ``alarms``, by their names."""
        deploy = self._settings.deploy
        gradual = deploy.shift != "all-at-once"
        preference = aws_stepfunctions.CfnStateMachineAlias.DeploymentPreferenceProperty(
            state_machine_version_arn=self.versions[""].ref,
            type=deploy.shift.upper().replace("-", "_"),
            percentage=deploy.percent if gradual else None,
            interval=deploy.minutes if gradual else None,
            alarms=alarms if gradual else None,
        )
        return aws_stepfunctions.CfnStateMachineAlias(
            self,
            "Live",
            name=names.LIVE,
            description="runs are started through it",
            deployment_preference=preference,
        )

    def _add(self, machine: str, definition: Path, known: Mapping[str, str]) -> None:
        dag, label = self._compiled.graph.dag.id, _label(machine)
        bucket, key = file(Stack.of(self), definition)
        used = set(placeholders({machine: self._compiled.files[self._compiled.machines.file_name(machine)]}))
        role = self._role(machine, label)
        created = CfnStateMachine(
            self,
            label,
            state_machine_name=names.machine_name(self._settings.env, dag, machine),
            state_machine_type="STANDARD",
            role_arn=role,
            definition_s3_location=CfnStateMachine.S3LocationProperty(bucket=bucket, key=key),
            definition_substitutions={name: known[name] for name in sorted(used)} or None,
            logging_configuration=self._logging(),
            tracing_configuration=CfnStateMachine.TracingConfigurationProperty(
                enabled=self._settings.tracing
            ),
        )
        version = aws_stepfunctions.CfnStateMachineVersion(
            self,
            f"{label}Version",
            state_machine_arn=created.ref,
            state_machine_revision_id=created.attr_state_machine_revision_id,
        )
        version.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self.machines[machine], self.versions[machine] = created, version

    def _role(self, machine: str, label: str) -> str:
        dag = self._compiled.graph.dag.id
        definition = self._compiled.machines.definitions[machine]
        needs = policies.machine_needs(
            policies.Machine(dag=dag, name=machine, definition=definition),
            self._targets,
            self._arns,
            tracing=self._settings.tracing,
        )
        arn = self._arns.machine(dag, machine)
        only = of_account(self._arns.account, arn, f"{arn}:*", f"{arn}/*")  # versions, distributed maps
        role = service_role(
            self,
            f"{label}Role",
            service="states.amazonaws.com",
            needs=needs,
            only=only,
            description=f"State machine {machine or 'of runs'} of {dag}",
        )
        return role.attr_arn

    def _logging(self) -> CfnStateMachine.LoggingConfigurationProperty:
        group = CfnStateMachine.CloudWatchLogsLogGroupProperty(log_group_arn=self._log_group_arn)
        return CfnStateMachine.LoggingConfigurationProperty(
            destinations=[CfnStateMachine.LogDestinationProperty(cloud_watch_logs_log_group=group)],
            level="ALL",
            # Inputs and outputs of states are the users' data; they are in the store, where roles guard them.
            include_execution_data=False,
        )


def order(compiled: Compiled, parts: Mapping[str, Target]) -> tuple[str, ...]:
    """The machines of a DAG, those that are called before those that call them, the one that a run starts last."""
    graph = {
        machine: {
            parts[name].name
            for name in sorted(
                set(placeholders({machine: compiled.files[compiled.machines.file_name(machine)]}))
            )
            if name in parts
        }
        for machine in sorted(compiled.machines.definitions, reverse=True)
    }
    return tuple(TopologicalSorter(graph).static_order())


def _label(machine: str) -> str:
    """The id of a machine's resource."""
    return f"Part-{machine}" if machine else "Runs"

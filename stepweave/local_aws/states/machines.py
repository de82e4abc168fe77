"""`Machines`: what an execution runs that is started by the ARN of a machine, a version or an alias.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, Protocol, TypeAlias

from stepweave.local_aws.states.failing import no_machine

Record: TypeAlias = Mapping[str, Any]
"""A machine, a version or an alias as ministack keeps it."""

Level: TypeAlias = Literal["ALL", "ERROR", "FATAL", "OFF"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """What of an execution is logged, and where."""

    level: Level = "OFF"
    group: str | None = None
    """Name of the log group."""
    with_data: bool = False
    """``includeExecutionData``."""

    @classmethod
    def of(cls, configuration: Record | None) -> Logging:
        """That of a ``loggingConfiguration`` of the API, or of a ``LoggingConfiguration`` of CloudFormation."""
        given = _lower(configuration or {})
        groups = [
            str(_lower(_lower(destination).get("cloudWatchLogsLogGroup") or {}).get("logGroupArn", ""))
            for destination in given.get("destinations") or ()
        ]
        found = next((arn for arn in groups if arn), None)
        return cls(
            level=given.get("level", "OFF"),
            group=None if found is None else found.removesuffix(":*").rpartition("log-group:")[2],
            with_data=str(given.get("includeExecutionData", False)).lower() == "true",
        )


def _lower(members: Record) -> Record:
    return {name[0].lower() + name[1:]: value for name, value in members.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A definition and what belongs to it, as it was when an execution started."""

    machine_arn: str
    name: str
    definition: str = field(repr=False)
    role_arn: str
    express: bool = False
    version_arn: str | None = None
    alias_arn: str | None = None
    logging: Logging = field(default_factory=Logging)
    revision_id: str = ""
    updated: str = ""
    """When the definition was written, as ISO 8601 text."""
    machine_created: str = ""
    """When its machine was created: another one of this name knows nothing of this one's executions."""


class Registry(Protocol):
    """The state machines that are deployed, by ARN."""

    machines: Mapping[str, Record]
    versions: Mapping[str, Record]
    aliases: Mapping[str, Record]


class Machines:
    """What the ARNs of machines, versions and aliases mean now."""

    def __init__(self, registry: Registry, random: Random) -> None:
        """``random`` chooses the version that an alias routes to."""
        self._registry = registry
        self._random = random

    def revision(self, arn: str) -> Revision:
        """What an execution started by ``arn`` runs; of an alias, a version by its weight. Raises ``ApiError``."""
        machine = self._registry.machines.get(arn)
        if machine is not None:
            return _revision(machine, machine)
        alias = self._registry.aliases.get(arn)
        version_arn = arn if alias is None else _routed(alias, self._random)
        version = None if version_arn is None else self._registry.versions.get(version_arn)
        base = None if version is None else self._registry.machines.get(version["stateMachineArn"])
        if version is None or base is None:
            raise no_machine(arn)
        return _revision(base, version, version_arn=version_arn, alias_arn=None if alias is None else arn)

    def check(self, arn: str) -> None:
        """Nothing; raises ``ApiError`` when there is nothing of this ARN."""
        registry = self._registry
        if not any(arn in known for known in (registry.machines, registry.versions, registry.aliases)):
            raise no_machine(arn)

    def still_has(self, revision: Revision) -> bool:
        """Whether the machine of this name is the one that ``revision`` is of."""
        machine = self._registry.machines.get(revision.machine_arn)
        return machine is None or str(machine.get("creationDate", "")) == revision.machine_created


def _routed(alias: Record, random: Random) -> str | None:
    """The version that the next execution of an alias runs."""
    routes = [route for route in alias.get("routingConfiguration") or () if route.get("weight", 0) > 0]
    if not routes:
        return None
    weights = [route["weight"] for route in routes]
    return str(random.choices(routes, weights)[0]["stateMachineVersionArn"])


def _revision(
    machine: Record, source: Record, *, version_arn: str | None = None, alias_arn: str | None = None
) -> Revision:
    return Revision(
        machine_arn=machine["stateMachineArn"],
        name=machine["name"],
        definition=source["definition"],
        role_arn=source["roleArn"],
        express=source.get("type", "STANDARD") == "EXPRESS",
        version_arn=version_arn,
        alias_arn=alias_arn,
        logging=Logging.of(source.get("loggingConfiguration")),
        revision_id=str(source.get("revisionId") or source.get("stateMachineRevisionId") or ""),
        updated=str(source.get("creationDate", "")),
        machine_created=str(machine.get("creationDate", "")),
    )

"""`OldVersions`: deletes versions of functions and state machines that no run can need any more.

Every deployment publishes versions, and they stay, for the runs that began with them. They count against Lambda's code
storage (75 GB) and Step Functions' 1,000 versions of a machine:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html

A version goes when it is none of the newest, no alias names it, no definition that runs start on calls it, and a newer
one took its place longer ago than a run lasts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from functions.recorder.deployed_dags import DeployedDags
from stepweave.deployed.arns import unqualified
from stepweave.deployed.names import PRODUCT

NEWEST = 3
"""Versions of each thing that stay whatever their age: what an alias is put back to by hand."""
PER_TURN = 20
"""Functions, and state machines, that are looked at each hour; all of them in turn."""
_HOUR_SECONDS = 3_600
_DAY_SECONDS = 86_400
_CALLED = re.compile(r":(function|stateMachine):([\w-]+):(\d+)")
_GONE = frozenset({"ResourceNotFoundException", "StateMachineDoesNotExist", "ResourceNotFound"})
_NAMED = frozenset({"ConflictException", "ResourceConflictException"})
"""An alias names the version since a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a function or of a state machine."""

    kind: str
    """``function`` or ``stateMachine``."""
    of: str
    """Name of the function; ARN of the state machine."""
    number: int
    published: float
    """Seconds since the epoch."""

    @property
    def key(self) -> str:
        """By which definitions are searched for it: ``function:name:3``."""
        return f"{self.kind}:{self.of.rpartition(':')[2]}:{self.number}"


class OldVersions:
    """The versions of one environment."""

    def __init__(
        self,
        env: str,
        functions: Any,
        states: Any,
        dags: DeployedDags,
        *,
        days: int,
        has_time: Callable[[], bool],
        now: Callable[[], float],
    ) -> None:
        """``functions`` and ``states``: clients of Lambda and Step Functions; ``days``: longer than any run lasts."""
        self._prefix = f"{PRODUCT}-{env}-"
        self._functions, self._states, self._dags = functions, states, dags
        self._days, self._has_time, self._now = days, has_time, now

    def delete(self) -> int:
        """How many were deleted; of what was not done for lack of time the next turn takes care."""
        old = [*self._old_of_functions(), *self._old_of_machines()]
        if not old or not self._has_time():
            return 0
        needed, deleted = self._needed(), 0
        for version in old:
            if not self._has_time():
                break
            if version.key not in needed:
                deleted += self._deleted(version)
        return deleted

    def _old_of_functions(self) -> Iterator[Version]:
        listed = pages(self._functions.list_functions, "Functions", "Marker", "NextMarker")
        ours = sorted(one["FunctionName"] for one in listed if one["FunctionName"].startswith(self._prefix))
        for name in self._turn(ours):
            if not self._has_time():
                return
            if old := self._superseded(self._of_function(name)):
                named = self._named(name)
                yield from (version for version in old if version.number not in named)

    def _of_function(self, name: str) -> Iterator[Version]:
        listed = partial(self._unless_gone, self._functions.list_versions_by_function, FunctionName=name)
        for one in pages(listed, "Versions", "Marker", "NextMarker"):
            if one["Version"].isdecimal():  # not `$LATEST`
                published = datetime.fromisoformat(one["LastModified"]).timestamp()
                yield Version(kind="function", of=name, number=int(one["Version"]), published=published)

    def _named(self, function: str) -> set[int]:
        """Versions that an alias of the function names, also for a part of the calls."""
        named: set[str] = set()
        listed = partial(self._unless_gone, self._functions.list_aliases, FunctionName=function)
        for one in pages(listed, "Aliases", "Marker", "NextMarker"):
            routing = one.get("RoutingConfig") or {}
            named |= {one["FunctionVersion"], *(routing.get("AdditionalVersionWeights") or {})}
        return {int(number) for number in named if number.isdecimal()}

    def _old_of_machines(self) -> Iterator[Version]:
        """Step Functions itself refuses to delete what an alias names."""
        machines = {
            unqualified(arn) for dag in self._dags.all() for arn in (dag.machine, *dag.machines.values())
        }
        for arn in self._turn(sorted(machines)):
            if not self._has_time():
                return
            yield from self._superseded(self._of_machine(arn))

    def _of_machine(self, arn: str) -> Iterator[Version]:
        call = partial(self._unless_gone, self._states.list_state_machine_versions, stateMachineArn=arn)
        for one in pages(call, "stateMachineVersions", "nextToken", "nextToken"):
            number = int(one["stateMachineVersionArn"].rpartition(":")[2])
            published = one["creationDate"].timestamp()
            yield Version(kind="stateMachine", of=arn, number=number, published=published)

    def _turn(self, names: list[str]) -> list[str]:
        """Those of ``names`` whose turn it is in this hour."""
        first = int(self._now() // _HOUR_SECONDS) * PER_TURN % len(names) if names else 0
        return (names[first:] + names[:first])[:PER_TURN]

    def _superseded(self, versions: Iterable[Version]) -> list[Version]:
        """Those but the newest whose place a newer one took long ago: a run may have begun until then."""
        newest_first = sorted(versions, key=lambda one: one.number, reverse=True)
        before = self._now() - self._days * _DAY_SECONDS
        return [
            version
            for newer, version in zip(newest_first[NEWEST - 1 :], newest_first[NEWEST:], strict=False)
            if newer.published < before
        ]

    def _needed(self) -> frozenset[str]:
        """Versions that the definitions name which runs start on now, however old they are: after an alias was put back
        to an older version, say.
        """
        found: set[str] = set()
        to_read = [arn for dag in self._dags.all() for arn in self._routed(dag.machine)]
        while to_read:
            arn = to_read.pop()
            machines, key = arn.split(":")[:6], f"stateMachine:{':'.join(arn.split(':')[6:])}"
            if key in found:
                continue
            found.add(key)
            described = self._unless_gone(self._states.describe_state_machine, stateMachineArn=arn)
            for kind, name, number in _CALLED.findall(described.get("definition", "")):
                if kind == "function":
                    found.add(f"{kind}:{name}:{number}")
                else:
                    to_read.append(":".join([*machines, name, number]))
        return frozenset(found)

    def _routed(self, alias: str) -> list[str]:
        """ARNs of the versions on which runs start through an alias."""
        described = self._unless_gone(self._states.describe_state_machine_alias, stateMachineAliasArn=alias)
        return [route["stateMachineVersionArn"] for route in described.get("routingConfiguration", [])]

    def _deleted(self, version: Version) -> bool:
        """Whether it was deleted now."""
        try:
            if version.kind == "function":
                self._functions.delete_function(FunctionName=version.of, Qualifier=str(version.number))
            else:
                arn = f"{version.of}:{version.number}"
                self._states.delete_state_machine_version(stateMachineVersionArn=arn)
        except self._states.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE | _NAMED:
                raise
            return False
        return True

    def _unless_gone(self, call: Callable[..., Any], **asked: Any) -> dict[str, Any]:
        """The answer; nothing when what is asked about was deleted just now."""
        try:
            answer: dict[str, Any] = call(**asked)
        except self._states.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return {}
        return answer


def pages(call: Callable[..., Any], key: str, asked: str, told: str, **arguments: Any) -> Iterator[Any]:
    """What ``key`` holds on all pages; the place of the next is asked for by ``asked``, told by ``told``."""
    page = call(**arguments)
    yield from page.get(key, ())
    while page.get(told):
        page = call(**arguments, **{asked: page[told]})
        yield from page.get(key, ())

"""What a person gave ``stepweave execute``, read: definitions, input, mocks, jobs, buckets."""

from __future__ import annotations

import difflib
import json
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from stepweave.cli.execution.order import Order
from stepweave.cli.execution.pairs import read_pairs
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.jobs import JobDefinition
from stepweave.engine.machine import Machine
from stepweave.engine.mock_files import read_mocks, read_set_up
from stepweave.engine.mock_responses import Surroundings
from stepweave.engine.mocks import Placed, place
from stepweave.engine.object_folder import FolderObjects
from stepweave.engine.objects import Objects
from stepweave.errors import UsageError
from stepweave.standalone.definitions import (
    Definition,
    defaults,
    definition_of,
    identity_of,
    read_json,
    to_machine,
)
from stepweave.standalone.service_objects import ServiceObjects


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The definitions, parsed."""

    main: str
    """Name of the machine that is executed."""
    machines: Mapping[str, Machine]
    """By name."""
    identity: str
    """A digest of all definitions, which an execution has to the end."""


def read_machines(order: Order) -> Given:
    """The machines; raises ``DefinitionError`` with everything that Step Functions would refuse."""
    main = definition_of(order.file)
    others = read_pairs("--machine", order.machines, "FILE")
    if main.name in others:
        raise UsageError(f"--machine {main.name}: this is the name of {order.file} itself; choose another")
    definitions = [main, *(definition_of(file, name) for name, file in others.items())]
    values = _values(order, definitions)
    return Given(
        main=main.name,
        machines={each.name: to_machine(each, values) for each in definitions},
        identity=identity_of(definitions, values),
    )


def _values(order: Order, definitions: list[Definition]) -> dict[str, str]:
    """The values of ``--set``; raises ``UsageError`` for a placeholder that no definition has."""
    values = read_pairs("--set", order.values, "VALUE")
    known = {name: None for definition in definitions for name in defaults(definition)}
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            there = ", ".join(known) or "none"
            raise UsageError(
                f"--set {name}: the definition has no placeholder ${{{name}}}{meant} There are: {there}"
            )
    return values


def read_input(text: str | None) -> Any:
    """The input of an execution: from a file, from standard input (``-``), or ``text`` itself when it is JSON."""
    if text is None:
        return {}
    if text == "-":
        return _parsed(sys.stdin.read(), "standard input")
    if text.lstrip()[:1] in ("{", "[", '"'):
        return _parsed(text, "--input")
    if not Path(text).exists():
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(
                f"--input {text}: there is no such file, and it is not JSON; text in JSON has quotes of its own:"
                f" --input '{json.dumps(text)}'"
            ) from error
    return read_json(text, "input")


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{what} is not JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise UsageError(f"{what} is nested too deep") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Mocked:
    """What the mock file says."""

    placed: Placed
    set_up: tuple[Mapping[str, Any], ...] = ()
    """Calls that create what the machine needs, before it runs."""


def read_mock_file(order: Order, given: Given, now: Callable[[], float]) -> Mocked:
    """The mocks, each at its task; nothing when there is no mock file."""
    if order.mock is None:
        return Mocked(placed=Placed())
    content = read_json(order.mock, "mock file")
    surroundings = Surroundings(now=now, generator=Random(f"{order.seed}/mocks"))
    mocks = read_mocks(content, surroundings, machine=given.main, case=order.case, file=order.mock)
    return Mocked(
        placed=place(mocks, given.machines.values(), file=order.mock),
        set_up=read_set_up(content, file=order.mock),
    )


def read_jobs(order: Order) -> dict[str, JobDefinition]:
    """Batch job definitions by name."""
    jobs = {}
    for name, command in read_pairs("--job", order.jobs, "COMMAND").items():
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"--job {name}={command}: {error}") from error
        jobs[name] = JobDefinition(command=tuple(words))
    return jobs


def read_buckets(order: Order, services: AwsServices) -> Objects:
    """The buckets: folders, or without ``--buckets`` those of the AWS that tasks call."""
    if order.buckets is None:
        return ServiceObjects(services)
    if not Path(order.buckets).is_dir():
        raise UsageError(f"--buckets {order.buckets}: there is no such folder; each folder in it is a bucket")
    return FolderObjects(order.buckets)

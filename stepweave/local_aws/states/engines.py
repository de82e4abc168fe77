"""`Engines`: an engine for each execution, with its journal and the machine that it started with."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stepweave.engine.clock import Clock
from stepweave.engine.engine import Engine
from stepweave.engine.events import Event
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.base import Integration
from stepweave.engine.journal import Journal
from stepweave.engine.machine import Machine
from stepweave.engine.objects import Objects
from stepweave.engine.parsing import parse
from stepweave.engine.place import Place
from stepweave.engine.tokens import Tokens
from stepweave.local_aws.states.entry import Entry
from stepweave.local_aws.states.shelf import Shelf

_IDLE = 50
"""Engines of ended executions that stay in memory."""
_PARSED = 200
"""Definitions that stay parsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """An execution in memory."""

    engine: Engine
    journal: Journal

    def execution(self, entry: Entry) -> Execution:
        """The execution itself."""
        return self.engine.executions[entry.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all executions share."""

    clock: Clock
    account: str
    region: str
    integrations: Mapping[str, Integration]
    objects: Objects | None
    tokens: Tokens


class Engines:
    """Those in memory, the longest unused first; others are opened when they are asked for."""

    def __init__(self, world: World, shelf: Shelf, heard: Callable[[Entry, Event], None]) -> None:
        """``heard`` is told what happens in the executions."""
        self._world = world
        self._shelf = shelf
        self._heard = heard
        self._open: OrderedDict[str, Live] = OrderedDict()
        self._parsed: OrderedDict[tuple[str, str], Machine] = OrderedDict()
        self._parsing = threading.Lock()

    def machine(self, name: str, definition: str) -> Machine:
        """A definition, parsed. Raises ``DefinitionError``."""
        key = (name, definition)
        with self._parsing:
            if key not in self._parsed:
                self._parsed[key] = parse(definition, name)
                if len(self._parsed) > _PARSED:
                    self._parsed.popitem(last=False)
            self._parsed.move_to_end(key)
            return self._parsed[key]

    def check(self, name: str, definition: str) -> None:
        """Nothing; raises ``DefinitionError`` for a definition that could not run. From any thread."""
        Engine({name: self.machine(name, definition)}, self._world.integrations)

    def of(self, entry: Entry) -> Live:
        """The engine of an execution. Raises ``DefinitionError``, and ``UsageError`` for a damaged journal."""
        live = self._open.get(entry.arn)
        if live is None:
            live = self._open[entry.arn] = self._opened(entry)
        self._open.move_to_end(entry.arn)
        return live

    def forget(self, entry: Entry) -> None:
        """Let go of an execution."""
        live = self._open.pop(entry.arn, None)
        if live is not None:
            live.journal.close()

    def tidy(self, running: Callable[[str], bool]) -> None:
        """Let go of ended executions that were not asked for lately; ``running`` tells of an ARN."""
        idle = [arn for arn in self._open if not running(arn)]
        for arn in idle[: max(0, len(idle) - _IDLE)]:
            self._open.pop(arn).journal.close()

    def close(self) -> None:
        """Let go of all."""
        while self._open:
            self._open.popitem()[1].journal.close()

    def _opened(self, entry: Entry) -> Live:
        revision, world = entry.revision, self._world
        machine = self.machine(revision.name, revision.definition)
        journal = self._shelf.journal(entry)
        try:
            engine = Engine(
                {revision.name: machine},
                world.integrations,
                clock=world.clock,
                # Tokens are drawn from it: two executions of one name must not share theirs.
                seed=int.from_bytes(hashlib.sha256(f"{entry.arn}/{entry.started_at}".encode()).digest()[:8]),
                listeners=(lambda event: self._heard(entry, event),),
                objects=world.objects,
                journal=journal,
                place=Place(account=world.account, region=world.region, role_arn=revision.role_arn),
                tokens=world.tokens,
            )
        except BaseException:
            journal.close()
            raise
        return Live(engine=engine, journal=journal)

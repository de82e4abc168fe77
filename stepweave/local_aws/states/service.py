"""`States`: the executions of a local AWS: started, stopped, redriven, waited for, and found again after a restart.

Call it in its event loop. What a definition may call comes from outside (:mod:`.wiring`), and so does who is told of
what happens (:mod:`.outlets`).
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from random import Random
from typing import Any

from stepweave.engine.events import Event
from stepweave.engine.execution import Execution
from stepweave.engine.failures import RUNTIME
from stepweave.errors import DefinitionError, StepweaveError, UsageError
from stepweave.local_aws.states.checking import check_execution_name, parsed_input
from stepweave.local_aws.states.engines import Engines, Live, World
from stepweave.local_aws.states.entry import Entry, in_milliseconds
from stepweave.local_aws.states.failing import ApiError, no_execution
from stepweave.local_aws.states.machines import Machines, Registry, Revision
from stepweave.local_aws.states.outlets import Outlets
from stepweave.local_aws.states.shelf import Shelf

_log = logging.getLogger("stepweave.states")

STOP_SECONDS = 10.0
"""Longest time that StopExecution waits for what the execution started to be stopped."""
KEPT_SECONDS = 90 * 24 * 3600.0
"""How long an execution is known after its end:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""
TELL_SECONDS = 0.5
"""How often what happened in running executions is told."""


class States:
    """Every execution, by ARN."""

    def __init__(
        self, world: World, registry: Registry, shelf: Shelf, outlets: Outlets, random: Random | None = None
    ) -> None:
        """``random`` chooses the version that an alias routes to."""
        self._machines = Machines(registry, random or Random())
        self.world = world
        self.entries: dict[str, Entry] = {}
        self._shelf = shelf
        self._outlets = outlets
        self._engines = Engines(world, shelf, self._heard)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._roots: dict[str, str] = {}
        """The entry's ARN of each child execution and each map run."""
        self._calls: dict[str | None, str] = {}
        """The ARN of what each call of another execution started."""
        self._telling: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()

    # Executions begin and end.

    def start(
        self, arn: str, text: str = "{}", name: str | None = None, *, started_by: str | None = None
    ) -> Entry:
        """The execution that StartExecution asks for: a new one, or the running one of this name and input.

        ``started_by`` names a call of another execution: the same call made again gets what it started before. Raises
        ``ApiError``.
        """
        if started_by in self._calls:
            return self.entries[self._calls[started_by]]
        revision = self._machines.revision(arn)
        name = check_execution_name(name or str(uuid.uuid4()))
        value = parsed_input(text)
        execution_arn = self._arn(revision, name)
        known = self.entries.get(execution_arn)
        if known is not None and known.status == "RUNNING" and known.input == text:
            return known
        if known is not None and not self._outlived(known, revision):
            raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{execution_arn}'")
        entry = Entry(
            arn=execution_arn,
            name=name,
            revision=revision,
            input=text,
            started_at=in_milliseconds(self.world.clock.now()),
            started_by=started_by,
        )
        live = self._opened(entry)
        self._shelf.write(entry)
        self._add(entry)
        self._begin(entry, live, value)
        self._outlets.started(entry)
        return entry

    async def stop(self, arn: str, error: str | None, cause: str | None) -> float:
        """When the execution stopped; what it had started is stopped too. Raises ``ApiError``."""
        entry = self.find(arn)
        task = self._running.get(arn)
        if task is not None and not self._leaving.is_set():
            self._engines.of(entry).engine.stop(entry.name, error, cause)
            await asyncio.wait([task], timeout=STOP_SECONDS)
        return entry.stopped_at or in_milliseconds(self.world.clock.now())

    def redrive(self, arn: str) -> float:
        """When the execution, which goes on where it failed, was redriven. Raises ``ApiError``."""
        entry = self.find(arn)
        reason = entry.why_not_redrivable(self.world.clock.now())
        if reason is None:
            try:
                execution = self._engines.of(entry).engine.redrive(entry.name)
            except UsageError as problem:
                reason = str(problem)
            else:
                entry.reopen(execution)
                self._shelf.write(entry)
                self._follow(entry)
                self._outlets.started(entry)
                return entry.redriven_at or 0.0
        raise ApiError("ExecutionNotRedrivable", f"{reason}: '{arn}'")

    async def wait(self, arn: str) -> Entry:
        """The execution, ended."""
        task = self._running.get(arn)
        if task is not None:
            await asyncio.wait([task])
        return self.find(arn)

    def check(self, name: str, definition: str) -> None:
        """Nothing; raises ``DefinitionError`` for a definition that could not run here."""
        self._engines.check(name, definition)

    # What is known of them.

    def find(self, arn: str) -> Entry:
        """The execution that somebody started. Raises ``ApiError``."""
        if arn not in self.entries:
            raise no_execution(arn)
        return self.entries[arn]

    def entry_of(self, arn: str) -> Entry:
        """The execution ``arn``, or the one whose child or map run it is. Raises ``ApiError``."""
        if (root := self._root(arn)) not in self.entries:
            raise no_execution(arn)
        return self.entries[root]

    def of_machine(self, arn: str) -> list[Entry]:
        """The executions of a machine, a version or an alias. Raises ``ApiError`` when there is none of this ARN."""
        self._machines.check(arn)
        return [
            entry
            for entry in self.entries.values()
            if arn in (entry.revision.machine_arn, entry.revision.version_arn, entry.revision.alias_arn)
            and self._machines.still_has(entry.revision)
        ]

    def live(self, arn: str) -> Live:
        """The engine in which the execution or the map run ``arn`` is, or was. Raises ``ApiError``."""
        return self._engines.of(self.entry_of(arn))

    # The server starts and ends.

    def load(self) -> None:
        """Know the executions of before."""
        oldest = self.world.clock.now() - KEPT_SECONDS
        for entry in self._shelf.entries():
            if entry.stopped_at is not None and entry.stopped_at < oldest:
                self._shelf.forget(entry)
            else:
                self._add(entry)

    def resume(self) -> None:
        """Let those that were left running go on, parents after the children that they wait for are known."""
        self._telling = asyncio.get_running_loop().create_task(self._tell_on())
        for entry in tuple(self.entries.values()):
            if entry.status == "RUNNING" and entry.arn not in self._running:
                try:
                    live = self._engines.of(entry)
                    if entry.name in live.engine.executions:
                        entry.logged = len(live.execution(entry).history)
                        live.engine.resume(entry.name)
                        self._follow(entry)
                    else:
                        self._begin(entry, live, parsed_input(entry.input))
                except StepweaveError as problem:
                    entry.status, entry.stopped_at = "FAILED", in_milliseconds(self.world.clock.now())
                    entry.error, entry.cause = RUNTIME, f"the execution cannot go on: {problem}"
                    self._shelf.write(entry)
                    self._outlets.ended(entry)

    async def leave(self) -> None:
        """Leave running executions as they are, to go on after a restart."""
        self._leaving.set()
        if self._telling is not None:
            self._telling.cancel()
        self._engines.close()

    # Inside.

    def _outlived(self, known: Entry, revision: Revision) -> bool:
        """Whether ``known`` is of a machine that was deleted, and is forgotten now."""
        if known.status == "RUNNING" or known.revision.machine_created == revision.machine_created:
            return False
        self._engines.forget(known)
        self._shelf.forget(known)
        return True

    def _add(self, entry: Entry) -> None:
        self.entries[entry.arn] = entry
        if entry.started_by is not None:
            self._calls[entry.started_by] = entry.arn

    def _arn(self, revision: Revision, name: str) -> str:
        kind = "express" if revision.express else "execution"
        head = f"arn:aws:states:{self.world.region}:{self.world.account}:{kind}:{revision.name}:{name}"
        return f"{head}:{uuid.uuid4()}" if revision.express else head

    def _opened(self, entry: Entry) -> Live:
        try:
            return self._engines.of(entry)
        except DefinitionError as problem:
            raise ApiError("InvalidDefinition", str(problem)) from problem

    def _begin(self, entry: Entry, live: Live, value: Any) -> None:
        machine = entry.revision.name
        if entry.revision.express:
            live.engine.create({"name": entry.name, "machine": machine, "input": value, "express": True})
            live.engine.resume(entry.name)
        else:
            live.engine.start(machine, value, entry.name)
        self._follow(entry)

    def _follow(self, entry: Entry) -> None:
        self._running[entry.arn] = asyncio.get_running_loop().create_task(self._followed(entry))

    async def _followed(self, entry: Entry) -> None:
        if self._leaving.is_set():
            return
        live = self._engines.of(entry)
        try:
            await live.engine.wait(entry.name)
        except Exception:
            _log.exception("execution %s", entry.arn)
        if self._leaving.is_set():
            return
        execution = live.execution(entry)
        if execution.status != "RUNNING":
            self._tell(entry)
            entry.close(execution)
            self._shelf.write(entry)
            self._outlets.ended(entry)
        del self._running[entry.arn]
        self._engines.tidy(self._running.__contains__)

    def _heard(self, entry: Entry, event: Event) -> None:
        """Remember whose the children of distributed maps are."""
        if event.kind == "execution_started" and event.execution != entry.name:
            self._know(entry, self._engines.of(entry).engine.executions[event.execution])

    def _know(self, entry: Entry, child: Execution) -> None:
        self._roots[child.arn] = entry.arn
        if child.map_run is not None:
            self._roots[child.map_run] = entry.arn

    def _root(self, arn: str) -> str:
        """The entry's ARN of a child or a map run; what it was given when that is none that is known."""
        if arn in self.entries or arn in self._roots:
            return self._roots.get(arn, arn)
        # Of executions before a restart the children are known only to their journals.
        machine, _, label = arn.split(":", 6)[6].partition("/") if arn.count(":") > 6 else ("", "", "")
        for entry in self.entries.values() if label else ():
            if entry.revision.name == machine:
                engine = self._engines.of(entry).engine
                for child in engine.executions.values():
                    if child.name != entry.name:
                        self._know(entry, child)
                self._roots |= dict.fromkeys(engine.map_runs, entry.arn)
        return self._roots.get(arn, arn)

    async def _tell_on(self) -> None:
        """Tell what happens in running executions, while there is somebody to hear it."""
        clock = self.world.clock
        while True:
            await asyncio.sleep(TELL_SECONDS * getattr(clock, "speed", 1.0))
            for arn in tuple(self._running):
                self._tell(self.entries[arn])

    def _tell(self, entry: Entry) -> None:
        if entry.revision.logging.level == "OFF":
            return
        history = self._engines.of(entry).execution(entry).history
        if len(history) > entry.logged:
            events = history.events(entry.logged)
            entry.logged = len(history)
            self._outlets.happened(entry, tuple(events))

"""`ExecutionLines`: an execution while it goes on, as lines, on a terminal and in a pipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TextIO

from stepweave.cli.answer import writable
from stepweave.cli.progress.words import duration, reason
from stepweave.cli.screen import paint
from stepweave.engine.events import Event
from stepweave.engine.execution import Execution
from stepweave.engine.history import Record
from stepweave.engine.machine import Machine, Map, Parallel, State, Task, Wait
from stepweave.standalone.causes import message_and_trace

MAX_VISITS = 20
"""Entries of one state that are shown; of a map over thousands of items the rest is counted."""
MAX_REASON = 160
"""Characters of an error's cause on a line."""


class ExecutionLines:
    """A listener of an engine that writes a line per thing that happens: when, what, where, how long it took.

    1.20 s  ✓ Charge card  1.17 s
    """

    def __init__(self, out: TextIO, machines: Mapping[str, Machine]) -> None:
        self._out = out
        self._read = True
        """Whether anybody reads the lines."""
        self._machines = machines
        self._states: dict[str, dict[str, State]] = {}
        """The states of each machine by name."""
        self._executions: Mapping[str, Execution] = {}
        self._root = ""
        self._began: float | None = None
        self._entered: dict[tuple[str, int], float] = {}
        """When the state of each line of each execution was entered."""
        self._hidden: set[tuple[str, int]] = set()
        """Lines of executions whose state is one of too many."""
        self._visits: Counter[tuple[str, str]] = Counter()

    def watch(self, executions: Mapping[str, Execution], root: str) -> None:
        """From now on tell of these executions of the engine; ``root`` is the one that a person started."""
        self._executions, self._root = executions, root

    def going_on(self, where: str | None) -> None:
        """Tell that the execution goes on in the state ``where``."""
        self._tell(f"going on with {self._root}{f' in {where}' if where else ''}")

    def __call__(self, event: Event) -> None:
        """Write the line of one event."""
        if self._began is None:
            self._began = event.at
        if event.state is None:
            self._execution(event)
            return
        records = self._executions[event.execution].history.records()
        record = self._record_of(event, records)
        place = (event.execution, record[-1])
        match event.kind:
            case "state_entered":
                self._enter(event, place)
            case "task_retrying":
                again = f"again in {duration(event.delay_seconds or 0)}, attempt {event.attempt + 2}"
                self._write(event, place, "↻", "yellow", _why(event), again)
            case "state_exited":
                # None: the state was entered before the execution was left, and went on here.
                entered = self._entered.pop(place, None)
                known = entered is not None and self._takes_time(event)
                took = duration(event.at - (entered or 0)) if known else ""
                caught = _caught(records, record)
                if caught is None:
                    self._write(event, place, "✓", "green", took)
                else:
                    self._write(event, place, "↷", "yellow", took, f"caught {caught}")

    def _record_of(self, event: Event, records: Sequence[Record]) -> Record:
        """A record of the line of states that ``event`` is of: the last, unless the state had other lines inside."""
        if event.kind != "task_retrying" or isinstance(self._state(event), Task):
            return records[-1]
        return next(record for record in reversed(records) if record[3] == event.state)

    def _enter(self, event: Event, place: tuple[str, int]) -> None:
        """Note an entry, and write it when what follows may take its time."""
        assert event.state is not None
        self._entered[place] = event.at
        self._visits[event.machine, event.state] += 1
        visits = self._visits[event.machine, event.state]
        self._hidden.discard(place)
        if visits > MAX_VISITS:
            self._hidden.add(place)
            if visits == MAX_VISITS + 1:
                self._line(event, "…", event.state, "dim", f"more than {MAX_VISITS}: the rest is counted")
        elif self._takes_time(event):
            self._write(event, place, "→", "", *self._what(event))

    def _execution(self, event: Event) -> None:
        """Lines of other executions than that which a person started, of which the summary tells.

        Of the children of a distributed map only those that fail are told, since there may be thousands.
        """
        if event.execution == self._root:
            return
        child = self._executions[event.execution].map_run is not None
        name = f"{event.machine} {event.execution}" if child else event.execution
        if event.kind == "execution_started" and not child:
            self._line(event, "→", name, "")
        elif event.status == "SUCCEEDED" and not child:
            self._line(event, "✓", name, "green")
        elif event.kind == "execution_ended" and event.status != "SUCCEEDED":
            self._visits[event.machine, ""] += 1
            if not child or self._visits[event.machine, ""] <= MAX_VISITS:
                self._line(event, "✗", name, "red", _why(event))

    def _what(self, event: Event) -> tuple[str, ...]:
        state = self._state(event)
        return (state.resource,) if isinstance(state, Task) else ()

    def _takes_time(self, event: Event) -> bool:
        return isinstance(self._state(event), Task | Wait | Parallel | Map)

    def _state(self, event: Event) -> State | None:
        machine = event.machine.partition("/")[0]  # of a child of a distributed map: MACHINE/LABEL
        if machine not in self._states:
            found = self._machines.get(machine)
            self._states[machine] = {} if found is None else {state.name: state for state in found.states()}
        return self._states[machine].get(event.state or "")

    def _write(self, event: Event, place: tuple[str, int], symbol: str, style: str, *more: str) -> None:
        if place not in self._hidden:
            self._line(event, symbol, event.state or "", style, *more)

    def _line(self, event: Event, symbol: str, name: str, style: str, *more: str) -> None:
        clock = duration(event.at - (self._began or event.at))
        nested = "" if event.execution == self._root else "  "
        text = "  ".join([f"{nested}{symbol} {name}", *(part for part in more if part)])
        self._tell(f"{clock:>10}  {paint(text, style)}")

    def _tell(self, line: str) -> None:
        """Write a line, until nobody reads any more: the execution goes on."""
        if self._read:
            try:
                self._out.write(f"{writable(line)}\n")
                self._out.flush()
            except BrokenPipeError:
                self._read = False


def _why(event: Event) -> str:
    """Error and message on one line."""
    return reason(event.error or event.status or "", message_and_trace(event.cause or "")[0], MAX_REASON)


def _caught(records: Sequence[Record], exited: Record) -> str | None:
    """The name of the error that a catcher took when the state was left by ``exited``; None when there was none."""
    before = records[exited[1] - 1]
    return str(before[4][0]) if before[0].endswith(("Failed", "TimedOut")) else None

"""`StepweaveEngine`: what the fixture ``stepweave_engine`` gives a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from stepweave.testing.running import DefinitionLike, RunOptions, run_machine
from stepweave.testing.runs import MachineRun
from stepweave.testing.states import StateOptions, StateRun, run_state


class StepweaveEngine:
    """Runs state machines for one test, and remembers the runs. Paths are relative to the folder of the test's file;
    what is not there is looked for in the working directory.
    """

    def __init__(self, folder: Path) -> None:
        """``folder`` is that of the test's file."""
        self._folder = folder
        self.runs: list[MachineRun] = []
        """The runs of this test so far, the latest last."""

    def __call__(
        self, definition: DefinitionLike, input: Any = None, **options: Unpack[RunOptions]
    ) -> MachineRun:
        """The ended execution of ``definition``: see :func:`~stepweave.testing.running.run_machine`."""
        run = run_machine(self._found(definition), input, **self._resolved(options))
        self.runs.append(run)
        return run

    def state(
        self, definition: DefinitionLike, state: str, input: Any = None, **options: Unpack[StateOptions]
    ) -> StateRun:
        """One state alone: see :func:`~stepweave.testing.states.run_state`."""
        found = run_state(self._found(definition), state, input, **self._resolved(options))
        self.runs.append(found.run)
        return found

    def sections(self, shown: str) -> list[tuple[str, str]]:
        """Title and text of each run, for a report that has the text ``shown`` already."""
        reports = [run.report() for run in self.runs]
        return [
            (f"state machine run {number} of {len(reports)}", report)
            for number, report in enumerate(reports, start=1)
            if report not in shown
        ]

    def _resolved(self, options: Any) -> Any:
        """The options, the machines' files found."""
        machines = options.get("machines")
        if not isinstance(machines, Mapping):
            return options
        return {**options, "machines": {name: self._found(each) for name, each in machines.items()}}

    def _found(self, definition: DefinitionLike) -> DefinitionLike:
        if isinstance(definition, str | Path) and (beside := self._folder / definition).exists():
            return beside
        return definition

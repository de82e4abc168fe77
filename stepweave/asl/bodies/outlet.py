"""`Outlet`: where control goes from the states of a task, or of one of several ways to carry it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from stepweave.asl import failures
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.failures import Ended
from stepweave.asl.states import State

Catcher: TypeAlias = dict[str, Any]


class Outlet(Protocol):
    """What a way to carry out a task asks of what is around it."""

    def succeed(self, state: State, record: Any) -> None:
        """``state`` is the last one on success; the task's record is ``record``."""

    def catchers(self) -> list[Catcher]:
        """What an error of a state leads to; none where errors end the run."""

    def failing(self, name: str) -> dict[str, State]:
        """The state ``name`` that does what the catchers do, and what it takes; its input is ``{"Error", "Cause"}``."""


class TaskOutlet:
    """The outlet of a task as a whole: its frame."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._caught: list[Catcher] | None = None

    def succeed(self, state: State, record: Any) -> None:
        self._wiring.succeed(state, record)

    def catchers(self) -> list[Catcher]:
        if self._caught is None:
            state: State = {}
            self._wiring.catch(state)
            self._caught = state.get("Catch", [])
        return [dict(catcher) for catcher in self._caught]

    def failing(self, name: str) -> dict[str, State]:
        task = self._wiring.task
        if self._wiring.fail_fast:
            return {name: failures.rethrown()}
        return {name: self.ending(failures.failed(task.id, "$states.input.Error", optional=task.optional))}

    def ending(self, ended: Ended) -> State:
        """A state after which the task has ended so."""
        return {"Type": "Pass", **self.onward(ended)}

    def onward(self, ended: Ended) -> Mapping[str, Any]:
        """``Assign`` and ``Next`` for a state after which the task has ended so."""
        assign, target = self._wiring.jump(ended.own, ended.stop)
        return {**({"Assign": assign} if assign else {}), "Next": target}


def passing(outlet: Outlet, record: str, name: str, later: str) -> tuple[dict[str, Any], dict[str, State]]:
    """How a catcher or a rule of a Choice goes on as after success: its fields, and the states that this takes.

    A catcher or a rule cannot end its machine; where success does, a Pass named ``name`` ends it. ``record`` is the
    task's record as JSONata in the catcher or rule, ``later`` in that Pass.
    """
    onward: State = {}
    outlet.succeed(onward, f"{{% {record} %}}")
    if "End" not in onward and "Output" not in onward:
        return onward, {}
    state: State = {"Type": "Pass"}
    outlet.succeed(state, f"{{% {later} %}}")
    return {"Next": name}, {name: state}

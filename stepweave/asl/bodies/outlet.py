"""`Outlet`: where control goes from the states of a task, or of one of several ways to carry it out."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from stepweave.asl import failures, names
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

    def __init__(self, wiring: Wiring, *, tells: bool = False) -> None:
        """``tells``: what a state puts out where the task ends says how, since its last call does not."""
        self._wiring, self._tells = wiring, tells
        self._caught: list[Catcher] | None = None

    def succeed(self, state: State, record: Any) -> None:
        self._wiring.succeed(state, record)
        if self._tells and "Output" not in state:
            state["Output"] = self.told("success")

    def catchers(self) -> list[Catcher]:
        if self._caught is None:
            state: State = {}
            self._wiring.catch(state)
            self._caught = state.get("Catch", [])
        own = failures.failed(self._wiring.task.id, optional=self._wiring.task.optional).own
        told = {"Output": self.told(own["status"])} if self._tells else {}
        return [{**told, **catcher} for catcher in self._caught]

    def failing(self, name: str) -> dict[str, State]:
        task = self._wiring.task
        if self._wiring.fail_fast:
            skip = {"Condition": f"{{% $states.input.Error = '{failures.SKIP}' %}}"}
            skip |= self.onward(failures.skipped(task.id))
            raised = names.end_of(name)
            choice: State = {"Type": "Choice", "Choices": [skip], "Default": raised}
            return {name: choice, raised: failures.rethrown()}
        ended = failures.failed(task.id, "$states.input.Error", optional=task.optional)
        return {name: {"Type": "Pass", **self.onward(ended)}}

    def onward(self, ended: Ended) -> dict[str, Any]:
        """``Assign``, ``Output`` and ``Next`` for a state after which the task has ended so."""
        assign, target = self._wiring.jump(ended.own, ended.stop)
        told = {"Output": self.told(ended.own["status"])} if self._tells else {}
        return {**({"Assign": assign} if assign else {}), **told, "Next": target}

    def told(self, status: str) -> dict[str, str]:
        """How the task ended, for who listens to what states put out."""
        found = {"node": self._wiring.task.id, "status": status}
        if self._wiring.scene.task(self._wiring.element).expansion is not None:
            found["index"] = "{% $run.index %}"
        return found


def passing(outlet: Outlet, record: str, name: str, later: str) -> tuple[dict[str, Any], dict[str, State]]:
    """How a catcher or a rule of a Choice goes on as after success: its fields, and the states that this takes.

    A catcher or a rule cannot end its machine; where success does, a Pass named ``name`` ends it. ``record`` is the
    task's record as JSONata in the catcher or rule, ``later`` in that Pass.
    """
    onward: State = {}
    outlet.succeed(onward, f"{{% {record} %}}")
    if "End" not in onward:
        return onward, {}
    state: State = {"Type": "Pass"}
    outlet.succeed(state, f"{{% {later} %}}")
    return {"Next": name}, {name: state}


class BranchOutlet:
    """The outlet of one of several attempts side by side, but for its success: its branch ends, whatever it came to."""

    def __init__(self, base: str) -> None:
        """``base`` names the attempt, and the states in which it ends."""
        self._won, self._failed, self._skipped = f"{base} won", f"{base} failed", f"{base} skipped"

    def catchers(self) -> list[Catcher]:
        ended = {"ErrorEquals": [failures.SKIP, failures.STOPPED], "Next": self._skipped}
        return [ended, *({"ErrorEquals": errors, "Next": self._failed} for errors in failures.ALL_ERRORS)]

    def failing(self, name: str) -> dict[str, State]:
        return {name: {"Type": "Pass", "Next": self._failed}}

    def states(self) -> dict[str, State]:
        """The ends of the branch that are no success; a skip is the task's."""
        return {self._failed: {"Type": "Pass", "End": True}, self._skipped: failures.rethrown()}

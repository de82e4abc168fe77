"""An approval: a person decides, and nothing runs meanwhile.

    x ──time is up──▶ x: escalation 1 ──time is up──▶ ... ──time is up──▶ on_timeout
    └──▶ x: approved?      only where a rejection means something else than going on

Price: 1 transition, 1 more for each escalation, and 1 for ``approved?`` unless ``on_reject="continue"``.
"""

from __future__ import annotations

from typing import Any

from stepweave.asl import failures, states
from stepweave.asl.bodies.message import described
from stepweave.asl.bodies.outlet import TaskOutlet, passing
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.failures import Ended
from stepweave.asl.states import State
from stepweave.asl.text import comment, json_text
from stepweave.graph.constructs import Approval

TIMEOUT = "States.Timeout"
REJECTED = "Rejected"
"""Name of the error of a task that a person rejected."""
_ANSWER = "{% $states.result %}"
_SETTLED = "{% $states.result.Payload %}"
_FIELD = ("approved",)


def approval(wiring: Wiring) -> dict[str, State]:
    """The states of an approval, the first one first."""
    return _Approval(wiring).states()


class _Approval:
    def __init__(self, wiring: Wiring) -> None:
        approval = wiring.task.approval
        assert approval is not None
        self.wiring, self.task, self.approval = wiring, wiring.task, approval
        self.outlet = TaskOutlet(wiring, tells=True)
        self.levels = ((approval.approvers, approval.timeout_seconds), *approval.escalations)
        self.common = self._common(approval)
        self.decides = approval.on_reject != "continue"
        """Whether a rejection is looked at."""

    def states(self) -> dict[str, State]:
        found: dict[str, State] = {}
        for level in range(len(self.levels)):
            found[self._level(level)] = self._asking(level)
        if self.approval.on_timeout in ("approve", "reject"):
            found[self._settling()] = self._settle()
        if self.decides:
            found |= self._approved()
        return found

    def _common(self, approval: Approval) -> dict[str, Any]:
        event = self.wiring.event()
        fields = [list(path) for path in dict.fromkeys((*self.task.fields, _FIELD))]
        return {
            "run": event["run"],
            "task": self.task.id,
            **described(self.wiring, "message", approval.message),
            "fields": json_text(fields),
        }

    def _level(self, level: int) -> str:
        return f"{self.task.id}: escalation {level}" if level else self.task.id

    def _settling(self) -> str:
        return f"{self.task.id}: time is up"

    def _asking(self, level: int) -> State:
        approvers, seconds = self.levels[level]
        payload = {
            **self.common,
            "approvers": [comment(name) for name in approvers],
            "level": level,
            "timeout": seconds,
        }
        state = states.ask(f"{self.task.id}: {', '.join(approvers) or 'anybody'}", payload, seconds)
        self._answered(state, _ANSWER)
        caught = [*self._when_time_is_up(level), *self.outlet.catchers()]
        return {**state, **({"Catch": caught} if caught else {})}

    def _when_time_is_up(self, level: int) -> list[dict[str, Any]]:
        if level + 1 < len(self.levels):
            return [{"ErrorEquals": [TIMEOUT], "Next": self._level(level + 1)}]
        match self.approval.on_timeout:
            case "fail":
                return []
            case "skip":
                return [{"ErrorEquals": [TIMEOUT], **self.outlet.onward(failures.skipped(self.task.id))}]
            case _:
                return [{"ErrorEquals": [TIMEOUT], "Next": self._settling()}]

    def _settle(self) -> State:
        """The call that decides where people stayed silent, unless one of them was faster."""
        payload = {**self.common, "decide": self.approval.on_timeout}
        state = states.control_call(f"nobody decided: {self.approval.on_timeout}", payload, states.APPROVALS)
        self._answered(state, _SETTLED)
        caught = self.outlet.catchers()
        return {**state, **({"Catch": caught} if caught else {})}

    def _answered(self, state: State, record: str) -> None:
        if self.decides:
            state["Output"] = record
            state["Next"] = self._choice()
        else:
            self.outlet.succeed(state, record)

    def _choice(self) -> str:
        return f"{self.task.id}: approved?"

    def _approved(self) -> dict[str, State]:
        onward, further = passing(
            self.outlet, "$states.input", f"{self.task.id}: approved", later="$states.input"
        )
        choice: State = {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.fields.approved = true %}", **onward}],
        }
        if self.wiring.fail_fast and self.approval.on_reject == "fail":
            rejected = f"{self.task.id}: rejected"
            choice["Default"] = rejected
            further[rejected] = {"Type": "Fail", "Error": REJECTED, "Cause": self._refusal()}
        else:
            otherwise = self.outlet.onward(self._rejection())
            choice["Default"] = otherwise.pop("Next")
            choice |= otherwise
        return {self._choice(): choice, **further}

    def _rejection(self) -> Ended:
        if self.approval.on_reject == "skip":
            return failures.skipped(self.task.id)
        return failures.failed(self.task.id, f"'{REJECTED}'", optional=self.task.optional)

    def _refusal(self) -> str:
        return f"{self.task.id} was rejected"

"""A loop: its body as the one branch of a Parallel, and a back-edge to it.

    x: start (Pass) → x (Parallel) → x: again? ┬ it holds, or no round is left ──▶ on
                        ▲                      ├ failed or skipped ──▶ as a task that ended so
                        └──────────────────────┘

What a round hands on is in the store; natively travel only the parts of the state that the condition, or an expression
in the body, reads.

Price: 1 transition, and per round 2 and those of the body.
"""

from __future__ import annotations

from typing import Any

from stepweave.asl import failures, names
from stepweave.asl.bodies.outlet import TaskOutlet, passing
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.payload import field_key, filled, operand_text
from stepweave.asl.scopes.binding import bind, free_variables
from stepweave.asl.scopes.bodies import body_inside, showing_index
from stepweave.asl.scopes.fields import state_paths
from stepweave.asl.scopes.scope import Repeat
from stepweave.asl.scopes.values import object_text, part_of, value_text
from stepweave.asl.states import State
from stepweave.asl.text import comment, quoted
from stepweave.graph.constructs import Loop
from stepweave.graph.model import FromState, FromTask, Path, Reference, Task


def looped(wiring: Wiring) -> dict[str, State]:
    """The states of a loop, the first one first."""
    return _Looped(wiring).states()


def entry(task: Task) -> str:
    """Name of the first state of the loop ``task``."""
    return names.first_round(task.id)


class _Looped:
    def __init__(self, wiring: Wiring) -> None:
        assert wiring.task.loop is not None
        self.wiring, self.node = wiring, wiring.task.id
        self.loop: Loop = wiring.task.loop
        self.outlet = TaskOutlet(wiring)
        self.variable = names.scope(self.node)
        self.inside = wiring.scene.places.depths[self.node] > 0

    def states(self) -> dict[str, State]:
        task = self.wiring.task
        again = self._again()
        repeats = self.wiring.scene.repeats
        repeats[self.node] = repeats[names.again(self.node)] = Repeat(1, self.loop.max_rounds)
        state: State = {
            "Type": "Parallel",
            "Comment": comment(task.doc or f"a round of {self.node}"),
            "Branches": [self._body()],
            "Output": f"{{% $merge([$states.result[0], {{'rounds': ${self.variable}.round + 1}}]) %}}",
            "Next": names.again(self.node),
        }
        caught = self.outlet.catchers()
        if caught:
            state["Catch"] = caught
        return {names.first_round(self.node): self._start(), self.node: state, **again}

    def _shown(self, status: str) -> dict[str, Any]:
        """Output of a state after which the loop has ended: what became of it, and its record."""
        index = "'index': $run.index, " if self.inside else ""
        shown = f"{{'node': {quoted(self.node)}, {index}'status': {status}}}"
        return {"Output": f"{{% $merge([$states.input, {shown}]) %}}"}

    # The scope of a round.

    def _start(self) -> State:
        paths = state_paths(self.wiring.task)
        members = {
            field_key(path): value_text(part_of(self.loop.start, path), self.wiring.record_of)
            for path in paths
        }
        state = f", 'state': {object_text(members)}" if members else ""
        scope = f"{{'run': {self._run('0')}, 'round': 0{state}}}"
        return {
            "Type": "Pass",
            "Comment": f"at most {self.loop.max_rounds} rounds",
            "Assign": {self.variable: f"{{% {scope} %}}"},
            "Next": self.node,
        }

    def _next(self) -> dict[str, Any]:
        number = f"${self.variable}.round + 1"
        state = ", 'state': $states.input.fields" if state_paths(self.wiring.task) else ""
        scope = f"{{'run': {self._run(f'({number})')}, 'round': {number}{state}}}"
        return {"Assign": {self.variable: f"{{% {scope} %}}"}, "Next": self.node}

    def _run(self, number: str) -> str:
        """JSONata for the run of round ``number``: gates are those of one round."""
        index = f"$run.index & '/' & {number}" if self.inside else f"$string({number})"
        return f"$merge([$run, {{'index': {index}, 'execution': $run.execution & '/' & {number}}}])"

    def _body(self) -> dict[str, Any]:
        fields = tuple((field_key(path), self._part(path)) for path in self._paths())
        body = showing_index(
            body_inside(self.wiring, is_item=False, catches=not self.wiring.fail_fast, fields=fields)
        )
        outside = {names.outer(task): task for task in self.wiring.scene.places.tasks}
        values = {
            name: self.wiring.record_of(outside[name]) for name in free_variables(body) if name in outside
        }
        bound: dict[str, Any] = bind(body, {**values, "run": f"${self.variable}.run"})
        return bound

    def _paths(self) -> tuple[Path, ...]:
        """Parts of the state that something reads natively after a round."""
        until = [o.path for o in self.loop.until.operands if self._is_own(o)]
        return tuple(dict.fromkeys((*until, *state_paths(self.wiring.task), *self.wiring.task.fields)))

    def _part(self, path: Path) -> Any:
        body = self.wiring.task.body
        assert body is not None
        assert body.result is not None
        return part_of(body.result, path)

    def _is_own(self, operand: Reference) -> bool:
        return isinstance(operand, FromState) and operand.node == self.node and not operand.counter

    # After a round.

    def _again(self) -> dict[str, State]:
        """The choice after a round; its input is the round's record."""
        record = "$states.input"
        onward, further = passing(self.outlet, record, names.done(self.node), later=record)
        succeeded = "$states.input.status = 'success'"
        left = f"${self.variable}.round < {self.loop.max_rounds - 1}"
        done = {**self._shown("'success'"), **onward}
        rules = [
            {"Condition": f"{{% {succeeded} and ({self._until()}) %}}", **done},
            {"Condition": f"{{% {succeeded} and {left} %}}", **self._next()},
        ]
        if self.loop.exhausted == "continue":
            rules.append({"Condition": f"{{% {succeeded} %}}", **done})
        state: State = {"Type": "Choice", "Comment": "whether another round follows", "Choices": rules}
        if self.wiring.fail_fast:
            failed = names.end_of(names.again(self.node))
            cause = f"{self.node} has used up its {self.loop.max_rounds} rounds"
            further[failed] = {"Type": "Fail", "Error": "LoopExhausted", "Cause": cause}
            return {names.again(self.node): {**state, "Default": failed}, **further}
        ended = self._ended()
        status = str(ended.own["status"]).removeprefix("{% ").removesuffix(" %}")
        rest = {**self._shown(status), **self.outlet.onward(ended)}
        return {names.again(self.node): {**state, "Default": rest.pop("Next"), **rest}, **further}

    def _ended(self) -> failures.Ended:
        """The records of a loop whose last round did not succeed, or that has no round left."""
        skipped = "$states.input.status = 'skipped'"
        by = [self.node]
        if self.wiring.task.optional:
            return failures.skipped(self.node)
        return failures.Ended(
            {"status": f"{{% {skipped} ? 'skipped' : 'failed' %}}", "by": by},
            {"status": f"{{% {skipped} ? 'skipped' : 'upstream_failed' %}}", "by": by},
        )

    def _until(self) -> str:
        def text(operand: Reference) -> str:
            if self._is_own(operand):
                assert not isinstance(operand, FromTask)
                return names.member("$states.input.fields", field_key(operand.path))
            return operand_text(operand, self.wiring.record_of)

        return filled(self.loop.until, text)

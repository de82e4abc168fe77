"""A loop: its body as the one branch of a Parallel, and a back-edge to it.

    x: start (Pass) → x (Parallel) → x: again? ┬ it holds, or no round is left ──▶ on
                        ▲                      ├ failed or skipped ──▶ as a task that ended so
                        └──────────────────────┘

Where the history of an execution has no room for all rounds, ``x`` is a nested machine that runs as many as have room
and hands back where it is; the back-edge starts the next one.

What a round hands on is in the store; natively travel only the parts of the state that the condition, or an expression
in the body, reads.

Price: 1 transition, and per round 2 and those of the body; for each further machine 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepweave.asl import failures, measure, names, states
from stepweave.asl.bodies.outlet import TaskOutlet, passing
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.payload import field_key, filled, operand_text
from stepweave.asl.scopes.binding import bind, free_variables
from stepweave.asl.scopes.bodies import body_inside, showing_index
from stepweave.asl.scopes.fields import state_paths
from stepweave.asl.scopes.limits import NEAR_EVENTS, ROUND_EVENTS, rounds_at_once
from stepweave.asl.scopes.scope import Repeat
from stepweave.asl.scopes.values import object_text, part_of, value_text
from stepweave.asl.states import State
from stepweave.asl.text import comment, quoted
from stepweave.graph.constructs import Loop
from stepweave.graph.model import FromState, FromTask, Path, Reference, Task

_SUCCEEDED = "$states.input.status = 'success'"


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
        scene, body = self.wiring.scene, self._body()
        each = measure.worst_case(body["States"], scene.repeats) + ROUND_EVENTS
        if self.loop.max_rounds * each <= NEAR_EVENTS:
            most = self.loop.max_rounds
            round_ = self._caught(self._round(self._bound(body)))
            back = {
                "Condition": f"{{% {_SUCCEEDED} and {self._left()} %}}",
                "Assign": {self.variable: f"{{% {self._next()} %}}"},
                "Next": self.node,
            }
        else:
            once = rounds_at_once(self.wiring.task, each)
            most = -(-self.loop.max_rounds // once)
            round_ = self._caught(self._call(body, once))
            back = {
                "Condition": "{% $states.input.done = false %}",
                "Assign": {self.variable: "{% $states.input.scope %}"},
                "Next": self.node,
            }
        again = self._again(back)
        scene.repeats[self.node] = scene.repeats[names.again(self.node)] = Repeat(1, most)
        return {names.first_round(self.node): self._start(), self.node: round_, **again}

    def _round(self, body: dict[str, Any]) -> State:
        return {
            "Type": "Parallel",
            "Comment": comment(self.wiring.task.doc or f"a round of {self.node}"),
            "Branches": [body],
            "Output": f"{{% $merge([$states.result[0], {{'rounds': ${self.variable}.round + 1}}]) %}}",
            "Next": names.again(self.node),
        }

    def _caught(self, state: State) -> State:
        caught = self.outlet.catchers()
        return {**state, "Catch": caught} if caught else state

    # Rounds in executions of their own.

    def _call(self, body: dict[str, Any], once: int) -> State:
        """The state that starts an execution for the next ``once`` rounds; the machine is noted in the scene."""
        further = self.wiring.scene.further
        name = f"loop_{len(further) + 1}"
        free = [one for one in free_variables(body) if one not in ("run", self.variable)]
        rounds = Repeat(1, once)
        self.wiring.scene.repeats.update({names.rounds(self.node): rounds, names.more(self.node): rounds})
        round_ = {**self._round(bind(body, {"run": f"${self.variable}.run"})), "Next": names.more(self.node)}
        further[name] = {
            "Comment": f"machine {name} of {self.wiring.scene.graph.dag.id}: rounds of {self.node}",
            "QueryLanguage": "JSONata",
            "StartAt": names.START,
            "States": {
                names.START: {
                    "Type": "Pass",
                    "Comment": "the run that these rounds are a part of",
                    "Assign": {
                        "run": "{% $states.input.run %}",
                        "last": f"{{% $states.input.scope.round + {once - 1} %}}",
                        self.variable: "{% $states.input.scope %}",
                        **{one: f"{{% $states.input.{one} %}}" for one in free},
                    },
                    "Next": names.rounds(self.node),
                },
                names.rounds(self.node): round_,
                names.more(self.node): self._more(),
                names.done(self.node): {"Type": "Pass", "End": True},
            },
        }
        state = states.call(name, {})
        values = self._outside(free)
        state["Comment"] = comment(self.wiring.task.doc or f"up to {once} rounds of {self.node}")
        del state["Arguments"]["Input"]["records"]
        state["Arguments"]["Input"] |= {
            "scope": f"{{% ${self.variable} %}}",
            **{one: f"{{% {values.get(one, '$' + one)} %}}" for one in free},
        }
        state["Output"] = "{% $states.result.Output %}"
        state["Next"] = names.again(self.node)
        return state

    def _more(self) -> State:
        """The choice after a round in an execution of its own: it ends, hands back, or goes on."""
        left, end = self._left(), names.done(self.node)
        done = {"Output": f"{{% $merge([$states.input, {{'done': true, 'scope': ${self.variable}}}]) %}}"}
        handed = {"Output": f"{{% {{'done': false, 'scope': {self._next()}}} %}}", "Next": end}
        return {
            "Type": "Choice",
            "Comment": "whether another round follows, here or in the next execution",
            "Choices": [
                {"Condition": f"{{% {_SUCCEEDED} and ({self._until()}) %}}", **done, "Next": end},
                {
                    "Condition": f"{{% {_SUCCEEDED} and {left} and ${self.variable}.round < $last %}}",
                    "Assign": {self.variable: f"{{% {self._next()} %}}"},
                    "Next": names.rounds(self.node),
                },
                {"Condition": f"{{% {_SUCCEEDED} and {left} %}}", **handed},
            ],
            **done,
            "Default": end,
        }

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

    def _next(self) -> str:
        """JSONata for the scope of the next round."""
        number = f"${self.variable}.round + 1"
        state = ", 'state': $states.input.fields" if state_paths(self.wiring.task) else ""
        return f"{{'run': {self._run(f'({number})')}, 'round': {number}{state}}}"

    def _left(self) -> str:
        """JSONata for whether another round is allowed."""
        return f"${self.variable}.round < {self.loop.max_rounds - 1}"

    def _run(self, number: str) -> str:
        """JSONata for the run of round ``number``: gates are those of one round."""
        index = f"$run.index & '/' & {number}" if self.inside else f"$string({number})"
        return f"$merge([$run, {{'index': {index}, 'execution': $run.execution & '/' & {number}}}])"

    def _body(self) -> dict[str, Any]:
        fields = tuple((field_key(path), self._part(path)) for path in self._paths())
        body = body_inside(self.wiring, is_item=False, catches=not self.wiring.fail_fast, fields=fields)
        shown: dict[str, Any] = showing_index(body)
        return shown

    def _bound(self, body: dict[str, Any]) -> dict[str, Any]:
        """``body`` where it stands in this machine: it sees the records of tasks around it."""
        values = self._outside(free_variables(body))
        bound: dict[str, Any] = bind(body, {**values, "run": f"${self.variable}.run"})
        return bound

    def _outside(self, free: Iterable[str]) -> dict[str, str]:
        """JSONata for those of the variables ``free`` that stand for records of tasks outside."""
        outside = {names.outer(task): task for task in self.wiring.scene.places.tasks}
        return {name: self.wiring.record_of(outside[name]) for name in free if name in outside}

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

    def _again(self, back: dict[str, Any]) -> dict[str, State]:
        """The choice after a round, whose record is its input; ``back`` is the rule by which another one follows."""
        record = "$states.input"
        onward, further = passing(self.outlet, record, names.done(self.node), later=record)
        done = {**self._shown("'success'"), **onward}
        rules = [
            {"Condition": f"{{% {_SUCCEEDED} and ({self._until()}) %}}", **done},
            back,
        ]
        if self.loop.exhausted == "continue":
            rules.append({"Condition": f"{{% {_SUCCEEDED} %}}", **done})
        state: State = {"Type": "Choice", "Comment": "whether another round follows", "Choices": rules}
        if self.wiring.fail_fast:
            failed = names.end_of(names.again(self.node))
            skipped = {"Condition": "{% $states.input.status = 'skipped' %}"}
            rules.append(skipped | dict(self.outlet.onward(failures.skipped(self.node))))
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

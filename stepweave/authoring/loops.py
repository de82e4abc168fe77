"""``Loop``: a block of tasks that runs again, with a state carried from round to round, until a condition holds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal

from stepweave.authoring.bindings import BindingError, to_binding, to_condition
from stepweave.authoring.bodies import returned, type_of
from stepweave.authoring.contracts import type_name
from stepweave.authoring.edges import mismatch
from stepweave.authoring.nodes import End, Node, Scope, StateNode
from stepweave.authoring.options import TaskOptions
from stepweave.authoring.ordering import Orderable
from stepweave.authoring.references import BROKEN, Reference
from stepweave.authoring.source import here
from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.trace import Trace, current, expect_block, report
from stepweave.graph import constructs
from stepweave.graph.model import Binding, Expression, FromState, FromTask, references
from stepweave.graph.model import Literal as LiteralValue

_EXHAUSTED = ("continue", "fail")
_NEVER = Expression(text="true", operands=())
"""Stands for an end that is a mistake which has been reported."""


class Loop(Orderable):
    """Tasks that run again until a condition over the carried state holds, at most ``max_rounds`` times.

        with Loop({"left": 64}, until=lambda state: state["left"] <= 1, max_rounds=10) as loop:
            loop.carry(halve(loop.state))
        report(loop.result)

    ``on_exhausted`` says what the last allowed round means when the condition does not hold even then.
    """

    __slots__ = (
        "_annotation", "_carried", "_exhausted", "_id", "_inside", "_max_rounds", "_node", "_open", "_source", "_start",
        "_until",
    )  # fmt: skip

    def __init__(
        self,
        start: Any,
        *,
        until: Callable[[Any], Any] | None = None,
        max_rounds: int | None = None,
        on_exhausted: Literal["continue", "fail"] = "continue",
        id: str = "loop",
    ) -> None:
        self._start = start
        self._until = until
        self._max_rounds = max_rounds
        self._exhausted = on_exhausted
        self._id = id
        self._source = here()
        self._annotation = _wide(type_of(start))
        self._node: Node | None = None
        self._inside: Scope | None = None
        self._open: AbstractContextManager[Scope] | None = None
        self._carried = 0
        expect_block(self, "Loop", self._source)

    @property
    def state(self) -> Any:
        """The state as this round got it: ``start`` in the first, then what the round before carried on."""
        return self._of_state(self._annotation, counter=False)

    @property
    def round(self) -> Any:
        """The number of the round, from 0."""
        return self._of_state(int, counter=True)

    @property
    def result(self) -> Any:
        """The state after the last round; for use after the block."""
        if self._node is None:
            self._outside("result")
            return BROKEN
        return Reference(self._node, self._annotation)

    def carry(self, value: Any) -> None:
        """Make ``value`` the state of the next round, and after the last one the result. Once in every loop."""
        trace = current()
        if self._node is None or trace is None or trace.scope is not self._inside:
            self._outside("carry()")
            return
        self._carried += 1
        if self._carried > 1:
            self._say("loop-carry", "the loop carries two values", "carry one dict with both")
            return
        source = here()
        self._node.result = returned(trace, self._node.id, value, source, "what the loop carries")
        if (got := mismatch(value, self._annotation)) is not None:
            report(
                "edge-type",
                "what the loop carries can never have the type of its start",
                task=self._node.id,
                expected=type_name(self._annotation),
                got=got,
                fix="carry what the loop started with, or correct an annotation",
                source=source,
            )

    def __enter__(self) -> Loop:
        trace = current()
        if trace is None:
            report("outside-dag", "Loop is used outside of a DAG",
                   fix="move it into a function decorated with @dag; inside a task write Python's for")  # fmt: skip
            return self
        trace.unopened.pop(self, None)
        node = self._node = Node(
            trace=trace,
            id=trace.unique_id(trace.prefixed(self._id)),
            options=TaskOptions(),
            source=self._source,
        )
        start = self._started(node)
        trace.add(node)
        self._open = trace.body_of(node)
        self._inside = self._open.__enter__()
        node.forms["loop"] = constructs.Loop(
            start=start, until=self._ended(trace), max_rounds=self._bound(), exhausted=self._on_exhausted()
        )
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._node is None or self._open is None or self._inside is None:
            return
        self._open.__exit__(None, None, None)
        if kind is not None:
            return
        if not self._inside.nodes:
            self._say("empty-block", "the loop calls no task", "call a task inside the block")
        elif not self._carried:
            self._say(
                "loop-carry", "the loop carries nothing, so that its state would never change",
                "write loop.carry(...) inside the block, with what the next round is to get",
            )  # fmt: skip
        elif self._node.result is not None and not self._changes(self._node.result, self._inside):
            self._say(
                "loop-carry", "the loop carries the same in every round",
                "carry what a task inside the block returns",
            )  # fmt: skip

    def _changes(self, carried: Binding, inside: Scope) -> bool:
        """Whether a round has a part in what it carries."""
        return any(
            isinstance(one, FromState) or (isinstance(one, FromTask) and one.task in inside.nodes)
            for one in references(carried)
        )

    def _started(self, node: Node) -> Binding:
        try:
            return to_binding(self._start, node)
        except BindingError as error:
            self._say(error.code, f"{error.where('start')}: {error.what}", error.fix)
            return LiteralValue(json="null")

    def _ended(self, trace: Trace) -> Expression:
        fix = "write until=lambda state: state['left'] <= 1"
        if not callable(self._until):
            self._say("loop-until", "the loop has no end", fix, expected="a condition over its state")
            return _NEVER
        probe = Node(trace=trace, id=self._id, options=TaskOptions(), source=self._source)
        value = self._until(self.state)
        if value is BROKEN:
            return _NEVER
        try:
            until = to_condition(value, probe)
        except BindingError as error:
            self._say(
                "loop-until", f"until: {error.what}", fix, expected="a condition over the state of the loop"
            )
            return _NEVER
        read = [one for one in until.operands if isinstance(one, FromTask)]
        if read:
            self._say("loop-until", f"until reads task {read[0].task!r}", "carry its value in the state of the loop",
                      expected="a condition over the state of the loop and params")  # fmt: skip
        elif not any(getattr(one, "node", None) == self._node_id() for one in until.operands):
            self._say("loop-until", "until does not read the state of the loop", fix)
        return until if not read else _NEVER

    def _bound(self) -> int:
        bound: object = self._max_rounds  # users without a type checker give anything
        if isinstance(bound, int) and not isinstance(bound, bool) and bound >= 1:
            return bound
        missing = bound is None
        self._say(
            "loop-bound",
            "a loop needs a bound" if missing else "max_rounds has a wrong value",
            "write max_rounds=10, with what it needs at most",
            expected="a whole number, 1 or more",
            got=None if missing else repr(bound),
        )
        return 1

    def _on_exhausted(self) -> Literal["continue", "fail"]:
        if self._exhausted not in _EXHAUSTED:
            self._say("option-value", f"on_exhausted is {self._exhausted!r}",
                      did_you_mean(str(self._exhausted), _EXHAUSTED), expected="'continue' or 'fail'")  # fmt: skip
            return "continue"
        return self._exhausted

    def _of_state(self, annotation: Any, *, counter: bool) -> Reference:
        if self._node is None or self._inside is None:
            self._outside("round" if counter else "state")
            return BROKEN
        return Reference(StateNode(self._node, self._inside, counter=counter), annotation)

    def _node_id(self) -> str:
        return self._node.id if self._node else ""

    def _outside(self, name: str) -> None:
        if (trace := current()) is not None:
            trace.unopened.pop(self, None)
        report("loop-block", f"the {name} of a loop is used outside of its block",
               fix="write `with Loop(...) as loop:` and use it inside the block")  # fmt: skip

    def _say(
        self, code: str, what: str, fix: str, *, expected: str | None = None, got: str | None = None
    ) -> None:
        report(
            code, what, task=self._node_id() or None, fix=fix, expected=expected, got=got, source=self._source
        )

    def _end(self) -> End | None:
        return self._node


def _wide(annotation: Any) -> Any:
    """What a state may become that starts with a literal of this type: 0 may become 0.5."""
    return int | float if annotation in (int, float) else annotation
